/* Searches a shelf. Usage: search SHELF QUERY; or search SHELF with queries on standard input, one a line, for
 * `id score` of each hit and an empty line behind each query's. */
#include <nearshelf.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, nearshelf_last_error());
  return 1;
}

static void print_title(const NearshelfShelf *shelf, const NearshelfHit *hit) {
  NearshelfValue title = {.struct_size = sizeof title};
  if (nearshelf_field(shelf, hit->shard, hit->item, "title", NEARSHELF_NUL_TERMINATED, &title) == NEARSHELF_STATUS_OK) {
    printf("%.3f  %-14s %.*s\n", hit->score, hit->id, (int)title.text.length, title.text.data);
  } else {
    printf("%.3f  %s\n", hit->score, hit->id);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s SHELF [QUERY]\n", argv[0]);
    return 2;
  }
  NearshelfShelf *shelf;
  if (nearshelf_open(NEARSHELF_ABI, argv[1], &shelf) != NEARSHELF_STATUS_OK) return failed("open");

  NearshelfSearchOptions options = {.struct_size = sizeof options, .k = 10};
  NearshelfHits *hits;
  char line[65536];
  int result = 0;
  if (argc > 2) {
    if (nearshelf_search(shelf, argv[2], NEARSHELF_NUL_TERMINATED, &options, &hits) != NEARSHELF_STATUS_OK) {
      result = failed("search");
    } else {
      for (size_t i = 0; i < hits->count; i++) print_title(shelf, &hits->hits[i]);
      nearshelf_hits_free(hits);
    }
  } else {
    while (result == 0 && fgets(line, sizeof line, stdin)) {
      size_t length = strcspn(line, "\n");
      if (nearshelf_search(shelf, line, length, &options, &hits) != NEARSHELF_STATUS_OK) {
        result = failed("search");
        break;
      }
      /* Nine digits are a float, whole. */
      for (size_t i = 0; i < hits->count; i++) printf("%s %.9g\n", hits->hits[i].id, hits->hits[i].score);
      printf("\n");
      nearshelf_hits_free(hits);
    }
  }
  nearshelf_close(shelf);
  return result;
}
