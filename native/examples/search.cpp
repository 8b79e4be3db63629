// Searches a shelf, and finds more like its best hit. Usage: search SHELF QUERY
#include <iostream>
#include <nearshelf.hpp>

int main(int argc, char **argv) {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " SHELF QUERY\n";
    return 2;
  }
  try {
    auto shelf = nearshelf::Shelf::open(argv[1]);
    auto hits = shelf.search(argv[2], 5);
    for (const auto &hit : hits) std::cout << hit.score << "  " << hit.id << "  " << shelf.text(hit, "title") << "\n";
    if (hits.size() > 0) {
      std::cout << "\nmore like the first:\n";
      auto more = shelf.similar(hits[0].id, 3);
      for (const auto &hit : more) std::cout << hit.score << "  " << hit.id << "  " << shelf.text(hit, "title") << "\n";
    }
  } catch (const nearshelf::Error &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
