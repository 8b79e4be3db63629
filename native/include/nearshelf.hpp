// C++ over nearshelf.h: handles that free themselves, errors as exceptions. C++17.
#ifndef NEARSHELF_HPP
#define NEARSHELF_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "nearshelf.h"

namespace nearshelf {

/// What a call did not give NEARSHELF_STATUS_OK for.
class Error : public std::runtime_error {
 public:
  explicit Error(NearshelfStatus status) : std::runtime_error(nearshelf_last_error()), status_(status) {}
  NearshelfStatus status() const noexcept { return status_; }

 private:
  NearshelfStatus status_;
};

inline void check(NearshelfStatus status) {
  if (status != NEARSHELF_STATUS_OK) throw Error(status);
}

/// The hits of a search, best first. Moves; frees itself; may outlive its shelf.
class Hits {
 public:
  explicit Hits(NearshelfHits *hits) noexcept : hits_(hits, nearshelf_hits_free) {}
  const NearshelfHit *begin() const noexcept { return hits_->hits; }
  const NearshelfHit *end() const noexcept { return hits_->hits + hits_->count; }
  std::size_t size() const noexcept { return hits_->count; }
  const NearshelfHit &operator[](std::size_t place) const noexcept { return hits_->hits[place]; }
  bool truncated() const noexcept { return hits_->untruncated > hits_->tokens; }
  const NearshelfHits &about() const noexcept { return *hits_; }
  /// The facets that were asked for, in that order.
  std::vector<NearshelfFacet> facets() const { return {hits_->facets, hits_->facets + hits_->facet_count}; }
  /// Words of the query that were taken for others of the catalog: the word, and the likeliest of those. Valid as long as the hits.
  std::vector<NearshelfCorrection> corrections() const {
    return {hits_->corrections, hits_->corrections + hits_->correction_count};
  }
  /// Words of the query that the catalog does not have, nor any like them.
  std::vector<NearshelfText> unknown_words() const {
    return {hits_->unknown_words, hits_->unknown_words + hits_->unknown_word_count};
  }

 private:
  std::unique_ptr<NearshelfHits, void (*)(NearshelfHits *)> hits_;
};

/// A completion of what a shopper types.
struct Suggestion {
  std::string text;
  std::uint64_t weight;
};

/// A shelf. Moves; closes itself. Threads may share one.
class Shelf {
 public:
  /// Opens the shelf in a directory.
  static Shelf open(const std::string &path) {
    NearshelfShelf *shelf = nullptr;
    check(nearshelf_open(NEARSHELF_ABI, path.c_str(), &shelf));
    return Shelf(shelf);
  }

  /// Opens a shelf in memory, which has to stay until the shelf is gone.
  static Shelf open(const std::vector<NearshelfFile> &files) {
    NearshelfShelf *shelf = nullptr;
    check(nearshelf_open_files(NEARSHELF_ABI, files.data(), files.size(), &shelf));
    return Shelf(shelf);
  }

  /// The shelf as it is in a directory now, after an update; this one stays as it was.
  Shelf reopen(const std::string &path) const {
    NearshelfShelf *next = nullptr;
    check(nearshelf_reopen(shelf_.get(), path.c_str(), &next));
    return Shelf(next);
  }

  /// The shelf with news of items laid over it, in JSON; this one stays as it was.
  Shelf overlay(std::string_view news) const {
    NearshelfShelf *next = nullptr;
    check(nearshelf_overlay(shelf_.get(), news.data(), news.size(), &next));
    return Shelf(next);
  }

  /// The best items for a text, by its words and its meaning.
  Hits search(std::string_view query, std::size_t k = 10) const {
    auto options = wanting(k);
    return search(query, options);
  }

  Hits search(std::string_view query, const NearshelfSearchOptions &options) const {
    NearshelfHits *hits = nullptr;
    check(nearshelf_search(shelf_.get(), query.data(), query.size(), &options, &hits));
    return Hits(hits);
  }

  /// The items nearest to a unit vector.
  Hits search(const std::vector<float> &vector, std::size_t k = 10) const {
    auto options = wanting(k);
    NearshelfHits *hits = nullptr;
    check(nearshelf_search_vector(shelf_.get(), vector.data(), vector.size(), &options, &hits));
    return Hits(hits);
  }

  /// Items that are like one, by its own vector and words.
  Hits similar(std::string_view id, const NearshelfSearchOptions &options) const {
    NearshelfHits *hits = nullptr;
    check(nearshelf_similar(shelf_.get(), id.data(), id.size(), &options, &hits));
    return Hits(hits);
  }

  Hits similar(std::string_view id, std::size_t k = 10) const {
    auto options = wanting(k);
    return similar(id, options);
  }

  /// Items that fit what somebody liked, in the order in which it was looked at.
  Hits recommend(const std::vector<std::string_view> &like, const std::vector<std::string_view> &unlike,
                 const NearshelfSearchOptions &options) const {
    auto texts = [](const std::vector<std::string_view> &ids) {
      std::vector<NearshelfText> texts;
      for (auto id : ids) texts.push_back({id.data(), id.size()});
      return texts;
    };
    auto liked = texts(like), unliked = texts(unlike);
    NearshelfRecommend asked{};
    asked.struct_size = sizeof asked;
    asked.like = liked.data();
    asked.like_count = liked.size();
    asked.unlike = unliked.data();
    asked.unlike_count = unliked.size();
    NearshelfHits *hits = nullptr;
    check(nearshelf_recommend(shelf_.get(), &asked, &options, &hits));
    return Hits(hits);
  }

  /// The likeliest completions of a text that is being typed.
  std::vector<Suggestion> suggest(std::string_view prefix, std::size_t k = 5) const {
    NearshelfSuggestions *found = nullptr;
    check(nearshelf_suggest(shelf_.get(), prefix.data(), prefix.size(), k, &found));
    std::unique_ptr<NearshelfSuggestions, void (*)(NearshelfSuggestions *)> owned(found, nearshelf_suggestions_free);
    std::vector<Suggestion> suggestions;
    for (std::size_t place = 0; place < found->count; ++place) {
      const auto &one = found->suggestions[place];
      suggestions.push_back({std::string(one.text.data, one.text.length), one.weight});
    }
    return suggestions;
  }

  /// The places of a query's words in a text field of a hit, in bytes.
  std::vector<NearshelfRange> matches(std::string_view query, const NearshelfHit &hit, std::string_view field) const {
    std::vector<NearshelfRange> ranges(64);
    std::size_t count = 0;
    check(nearshelf_matches(shelf_.get(), query.data(), query.size(), hit.shard, hit.item, field.data(), field.size(),
                            ranges.data(), ranges.size(), &count));
    ranges.resize(count < ranges.size() ? count : ranges.size());
    return ranges;
  }

  /// The unit vector of a text.
  std::vector<float> encode(std::string_view text) const {
    std::vector<float> vector(about().dims);
    check(nearshelf_encode(shelf_.get(), text.data(), text.size(), vector.data(), vector.size()));
    return vector;
  }

  /// The value of a hit's field; none where it has none. Its text lies in the shelf.
  std::optional<NearshelfValue> field(const NearshelfHit &hit, std::string_view name) const {
    NearshelfValue value{};
    value.struct_size = sizeof value;
    auto status = nearshelf_field(shelf_.get(), hit.shard, hit.item, name.data(), name.size(), &value);
    if (status == NEARSHELF_STATUS_NO_VALUE) return std::nullopt;
    check(status);
    return value;
  }

  /// A field of type text; empty where the hit has none.
  std::string_view text(const NearshelfHit &hit, std::string_view name) const {
    auto value = field(hit, name);
    if (!value || value->kind != NEARSHELF_KIND_TEXT) return {};
    return {value->text.data, value->text.length};
  }

  NearshelfAbout about() const {
    NearshelfAbout about{};
    about.struct_size = sizeof about;
    check(nearshelf_about(shelf_.get(), &about));
    return about;
  }

  /// Loads the encoder now instead of with the first search by text.
  void load_encoder() const { check(nearshelf_load_encoder(shelf_.get())); }

  const NearshelfShelf *get() const noexcept { return shelf_.get(); }

 private:
  explicit Shelf(NearshelfShelf *shelf) noexcept : shelf_(shelf, nearshelf_close) {}

  static NearshelfSearchOptions wanting(std::size_t k) {
    NearshelfSearchOptions options{};
    options.struct_size = sizeof options;
    options.k = k;
    return options;
  }

  std::unique_ptr<NearshelfShelf, NearshelfStatus (*)(NearshelfShelf *)> shelf_;
};

}  // namespace nearshelf

#endif
