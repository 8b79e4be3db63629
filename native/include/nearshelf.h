/*
 * nearshelf: semantic product search where the shopper is.
 *
 * A program opens a shelf that `nearshelf build` made, searches it by text or by vector, reads fields of hits, frees
 * the hits and closes the shelf. Texts are UTF-8. Any number of threads may use one shelf at the same time.
 *
 *     NearshelfShelf *shelf;
 *     NearshelfHits *hits;
 *     if (nearshelf_open(NEARSHELF_ABI, "shelf", &shelf) != NEARSHELF_STATUS_OK) puts(nearshelf_last_error());
 *     nearshelf_search(shelf, "rain jacket", NEARSHELF_NUL_TERMINATED, NULL, &hits);
 *     for (size_t i = 0; i < hits->count; i++) printf("%.3f %s\n", hits->hits[i].score, hits->hits[i].id);
 *     nearshelf_hits_free(hits);
 *     nearshelf_close(shelf);
 */

#ifndef NEARSHELF_H
#define NEARSHELF_H

/* Made by cbindgen from crates/native: `cargo xtask native`. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* As a length: the text ends with a NUL. */
#define NEARSHELF_NUL_TERMINATED SIZE_MAX

/*
 Flag: the last word of a text may be the beginning of one, as while it is being typed.
 */
#define NEARSHELF_TYPING 1

/*
 Flag: hits that are no better than chance are left out.
 */
#define NEARSHELF_LEAVE_WEAK 2



/*
 The version of the ABI: what a program passes to `nearshelf_open`, so that one that was compiled with another
 header than its library's is told so.
 */
#define NEARSHELF_ABI 1

/*
 The outcome of a call. The numbers never change; new ones may come.
 */
enum NearshelfStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Done.
   */
  NEARSHELF_STATUS_OK = 0,
  /*
   A pointer that must not be NULL is.
   */
  NEARSHELF_STATUS_NULL_POINTER = 1,
  /*
   A text is not UTF-8.
   */
  NEARSHELF_STATUS_INVALID_UTF8 = 2,
  /*
   A length, a size or a number is not what the function takes.
   */
  NEARSHELF_STATUS_INVALID_ARGUMENT = 3,
  /*
   The program was compiled with another header than the library's.
   */
  NEARSHELF_STATUS_WRONG_ABI = 4,
  /*
   The shelf was closed, or the handle never was one.
   */
  NEARSHELF_STATUS_CLOSED = 5,
  /*
   The item has no value of this field, or there is no such field, item or tag.
   */
  NEARSHELF_STATUS_NO_VALUE = 6,
  /*
   A file could not be read.
   */
  NEARSHELF_STATUS_IO = 7,
  /*
   A file is damaged, or not what it should be.
   */
  NEARSHELF_STATUS_DAMAGED = 8,
  /*
   The shelf was built for a newer library.
   */
  NEARSHELF_STATUS_TOO_NEW = 9,
  /*
   The text could not be encoded.
   */
  NEARSHELF_STATUS_ENCODING = 10,
  /*
   A mistake of the library's own. The shelf can go on being used.
   */
  NEARSHELF_STATUS_INTERNAL = 11,
  /*
   The library was built without what the shelf needs: its encoder is a graph in ONNX that nearshelf does not
   recognise, and the library lacks the feature `onnx`.
   */
  NEARSHELF_STATUS_UNSUPPORTED = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NearshelfStatus NearshelfStatus;
#else
typedef int32_t NearshelfStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 The type of a field.
 */
enum NearshelfKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   A text.
   */
  NEARSHELF_KIND_TEXT = 0,
  /*
   A number.
   */
  NEARSHELF_KIND_NUMBER = 1,
  /*
   True or false.
   */
  NEARSHELF_KIND_BOOL = 2,
  /*
   A list of texts.
   */
  NEARSHELF_KIND_TAGS = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NearshelfKind NearshelfKind;
#else
typedef int32_t NearshelfKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 A level of the log.
 */
enum NearshelfLevel
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Nothing.
   */
  NEARSHELF_LEVEL_OFF = 0,
  /*
   Faults.
   */
  NEARSHELF_LEVEL_ERROR = 1,
  /*
   Things that work, but not as they should, such as a model that does not run fused.
   */
  NEARSHELF_LEVEL_WARN = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NearshelfLevel NearshelfLevel;
#else
typedef int32_t NearshelfLevel;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 A shelf that is open. Any number of threads may use one at the same time.
 */
typedef struct NearshelfShelf NearshelfShelf;

/*
 A text in UTF-8 that lies in the shelf: valid until the shelf is closed; it does not end with a NUL.
 */
typedef struct NearshelfText {
  /*
   The first byte.
   */
  const char *data;
  /*
   Bytes.
   */
  size_t length;
} NearshelfText;

/*
 The value of a field.
 */
typedef struct NearshelfValue {
  /*
   sizeof(NearshelfValue), set by the program.
   */
  size_t struct_size;
  /*
   Which of the following counts.
   */
  NearshelfKind kind;
  /*
   1 for true, of a bool.
   */
  int32_t boolean;
  /*
   Of a number.
   */
  double number;
  /*
   Of a text: it lies in the shelf.
   */
  struct NearshelfText text;
  /*
   Of tags: how many, for nearshelf_tag.
   */
  size_t tags;
} NearshelfValue;

/*
 An item that answers a query.
 */
typedef struct NearshelfHit {
  /*
   The item's id in the catalog, in UTF-8, with a NUL at its end. Valid until the hits are freed.
   */
  const char *id;
  /*
   Bytes of the id, without the NUL at its end.
   */
  size_t id_length;
  /*
   The score that hits are ordered by: from 0 to 1 where words and meaning are both compared, BM25F by words, the cosine
   of query and item by meaning. An item that the query names has the best score of all on top of its own.
   */
  float score;
  /*
   The shard that holds it: with `item` its place, for nearshelf_field.
   */
  uint32_t shard;
  /*
   Its place in the shard.
   */
  uint32_t item;
  /*
   Cosine of query and item: 1 for the same direction. NaN where meanings were not compared.
   */
  float meaning;
  /*
   Score of the words that query and item share. NaN where words were not compared.
   */
  float words;
  /*
   The share of the query's words that the item has, each by its weight, 0 to 1.
   */
  float coverage;
  /*
   Whether it is no better than chance.
   */
  bool is_weak;
  /*
   Items that have its value of the options' `distinct`, itself among them; 0 where that was not asked for.
   */
  uint64_t variants;
} NearshelfHit;

/*
 A value, or a range of numbers, with its items.
 */
typedef struct NearshelfCount {
  /*
   The value; empty for a range. Of a bool field "true" or "false".
   */
  struct NearshelfText value;
  /*
   The number that a range begins with; NaN where it has none.
   */
  double from;
  /*
   The number below which a range ends; NaN where it has none.
   */
  double to;
  /*
   Items that have it.
   */
  uint64_t count;
} NearshelfCount;

/*
 The values of a field that items which match have.
 */
typedef struct NearshelfFacet {
  /*
   The field.
   */
  struct NearshelfText field;
  /*
   Values that there are, told or not; of a text, tags or bool field.
   */
  size_t distinct;
  /*
   The least number; NaN where no item has one, or the field is of another type.
   */
  double min;
  /*
   The largest number.
   */
  double max;
  /*
   Counts.
   */
  size_t count;
  /*
   Of a number field its ranges, then its histogram; of others the values of most items, in falling order.
   */
  const struct NearshelfCount *counts;
} NearshelfFacet;

/*
 A word of a query that was taken for another of the catalog. Valid until the hits are freed.
 */
typedef struct NearshelfCorrection {
  /*
   The word of the query.
   */
  struct NearshelfText from;
  /*
   The likeliest of the words that were looked for instead.
   */
  struct NearshelfText to;
} NearshelfCorrection;

/*
 The hits of a search, best first. Freed, all of it, by nearshelf_hits_free. It holds on to nothing: it may outlive
 its shelf, and be read from any thread.
 */
typedef struct NearshelfHits {
  /*
   Bytes of this struct in the library: a field that lies behind them is not there.
   */
  size_t struct_size;
  /*
   Hits.
   */
  size_t count;
  /*
   The hits.
   */
  const struct NearshelfHit *hits;
  /*
   Tokens of the query that were encoded; 0 for a search by vector.
   */
  size_t tokens;
  /*
   Tokens of the whole query: more when it was truncated.
   */
  size_t untruncated;
  /*
   Shards that were searched.
   */
  size_t shards;
  /*
   Vectors that were compared with the query.
   */
  uint64_t distances;
  /*
   Tokens of the query that stand for something that the encoder does not know; where these are all, the hits are
   chance.
   */
  size_t unknown;
  /*
   Items that match the query, where they had to be known: for facets, an order by fields, or without a query.
   */
  uint64_t matches;
  /*
   Whether these are all, and the counts of the facets with them: not where more than 1,000 items are near in meaning.
   */
  bool matches_are_exact;
  /*
   Facets.
   */
  size_t facet_count;
  /*
   The facets that were asked for, in that order.
   */
  const struct NearshelfFacet *facets;
  /*
   Corrections.
   */
  size_t correction_count;
  /*
   Words of the query that were taken for others of the catalog, in the order of the query.
   */
  const struct NearshelfCorrection *corrections;
  /*
   Unknown words.
   */
  size_t unknown_word_count;
  /*
   Words of the query that the catalog does not have, nor any like them.
   */
  const struct NearshelfText *unknown_words;
} NearshelfHits;

/*
 Takes a line of the log: its level, a text with a NUL at its end that is valid during the call, and what the program
 gave to nearshelf_set_log. It may be called from any thread that uses the library, several at a time; it must not
 unwind.
 */
typedef void (*NearshelfLog)(NearshelfLevel level, const char *message, void *user);

/*
 A file of a shelf in the caller's memory.
 */
typedef struct NearshelfFile {
  /*
   Its name, as the directory has it, for example "shelf.nsm"; with a NUL at its end.
   */
  const char *name;
  /*
   Its bytes.
   */
  const uint8_t *data;
  /*
   Their number.
   */
  size_t length;
} NearshelfFile;

/*
 The description of a shelf.
 */
typedef struct NearshelfAbout {
  /*
   sizeof(NearshelfAbout), set by the program.
   */
  size_t struct_size;
  /*
   Items, those that are gone not counted.
   */
  uint64_t items;
  /*
   Components of a vector.
   */
  size_t dims;
  /*
   Shards.
   */
  size_t shards;
  /*
   Fields of an item, for nearshelf_field_name.
   */
  size_t fields;
} NearshelfAbout;

/*
 Options of a search. Set everything to zero, `struct_size` to sizeof(NearshelfSearchOptions), and then what is to be
 different: `NearshelfSearchOptions o = { .struct_size = sizeof o, .k = 5 };`
 */
typedef struct NearshelfSearchOptions {
  /*
   sizeof(NearshelfSearchOptions), by which the library knows the fields that the program knows.
   */
  size_t struct_size;
  /*
   Hits wanted; 0 for 10.
   */
  size_t k;
  /*
   Shards searched, nearest first; 0 for what the shelf was built for.
   */
  size_t probe;
  /*
   Candidates kept while walking the graphs; 0 for what the shelf was built for.
   */
  size_t ef;
  /*
   Items that may be hits, as a filter in UTF-8, for example `price < 50 AND brand IN ["Calder"]`; NULL for all.
   */
  const char *filter;
  /*
   Its bytes, or NEARSHELF_NUL_TERMINATED.
   */
  size_t filter_length;
  /*
   Parts of a text that items are compared by: 0 for words and meaning in one ranking, 1 for words alone, which needs no
   encoder, 2 for meaning alone.
   */
  uint32_t mode;
  /*
   The weight of the words in a hybrid score beside the meaning, above 0 and at most 1; 0 for the usual one.
   */
  float weight;
  /*
   NEARSHELF_TYPING, NEARSHELF_LEAVE_WEAK, or 0.
   */
  uint32_t flags;
  /*
   Weight of difference: hits that are like one another give way to others, 0 to 1.
   */
  float diversity;
  /*
   Hits that are passed over: pages of one `k` hold every hit once.
   */
  size_t offset;
  /*
   Fields that hits are ordered by, before their scores: "in_stock:desc,price:asc" in UTF-8 with a NUL at its end, as are
   the texts below; NULL for none.
   */
  const char *sort;
  /*
   Fields that lift scores: "in_stock:0.2", or with the value that has half of the weight, "reviews:0.1:100"; several
   with commas between them.
   */
  const char *boosts;
  /*
   Ids of items that stand first, one a line.
   */
  const char *pin;
  /*
   Ids of items that are no hits, one a line.
   */
  const char *hide;
  /*
   A field of which each value has one hit, the best.
   */
  const char *distinct;
  /*
   Values that are counted over all items that match: "brand:5,price:0..25|25..50|50..,price:histogram:8".
   */
  const char *facets;
} NearshelfSearchOptions;

/*
 Items that somebody liked, and what to recommend besides. Set everything to zero, `struct_size` to
 sizeof(NearshelfRecommend), and then what is to be different.
 */
typedef struct NearshelfRecommend {
  /*
   sizeof(NearshelfRecommend).
   */
  size_t struct_size;
  /*
   Ids of items that are liked, in the order in which they were looked at. They are no hits.
   */
  const struct NearshelfText *like;
  /*
   Their number.
   */
  size_t like_count;
  /*
   Ids of items that are not liked. They are no hits.
   */
  const struct NearshelfText *unlike;
  /*
   Their number.
   */
  size_t unlike_count;
  /*
   Weights of the liked items, as many as there are; NULL where the last counts most.
   */
  const float *weights;
  /*
   A text that hits have to fit besides; of length 0 for none.
   */
  struct NearshelfText text;
} NearshelfRecommend;

/*
 A completion of what a shopper types.
 */
typedef struct NearshelfSuggestion {
  /*
   The whole phrase, with a NUL at its end. Valid until the suggestions are freed.
   */
  struct NearshelfText text;
  /*
   Items that have it, or the weight that the build was given.
   */
  uint64_t weight;
} NearshelfSuggestion;

/*
 Completions, the likeliest first. Freed, all of it, by nearshelf_suggestions_free.
 */
typedef struct NearshelfSuggestions {
  /*
   Bytes of this struct in the library.
   */
  size_t struct_size;
  /*
   Completions.
   */
  size_t count;
  /*
   The completions.
   */
  const struct NearshelfSuggestion *suggestions;
} NearshelfSuggestions;

/*
 A part of a text, in bytes.
 */
typedef struct NearshelfRange {
  /*
   The first byte.
   */
  size_t start;
  /*
   One past the last byte.
   */
  size_t end;
} NearshelfRange;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The failure of the last call of this thread that did not give NEARSHELF_STATUS_OK: a sentence in UTF-8, empty
 when there was none. The library's own: valid until the next call of this thread that fails; never freed.
 */
const char *nearshelf_last_error(void);

/*
 The value of an item's field, into `*value`, whose `struct_size` the program set. `shard` and `item` are those of a
 hit. `name` is of `length` bytes, or NEARSHELF_NUL_TERMINATED. NEARSHELF_STATUS_NO_VALUE where the item has none.
 Nothing is copied: a text lies in the shelf. Any number of threads may ask.

 Owed by the caller:
 `name` is as said, `value` is a NearshelfValue.
 */
NearshelfStatus nearshelf_field(const struct NearshelfShelf *shelf,
                                uint32_t shard,
                                uint32_t item,
                                const char *name,
                                size_t length,
                                struct NearshelfValue *value);

/*
 A tag of an item's field, by its place, into `*tag`: it lies in the shelf.

 Owed by the caller:
 `name` is of `length` bytes or NEARSHELF_NUL_TERMINATED, `tag` is room for a NearshelfText.
 */
NearshelfStatus nearshelf_tag(const struct NearshelfShelf *shelf,
                              uint32_t shard,
                              uint32_t item,
                              const char *name,
                              size_t length,
                              size_t place,
                              struct NearshelfText *tag);

/*
 Name and type of a field, by its place: below the `fields` of nearshelf_about. The name lies in the shelf.

 Owed by the caller:
 `name` and `kind` are room for what they hold.
 */
NearshelfStatus nearshelf_field_name(const struct NearshelfShelf *shelf,
                                     size_t place,
                                     struct NearshelfText *name,
                                     NearshelfKind *kind);

/*
 Frees the hits of a search. NULL is nothing to free.

 Owed by the caller:
 `hits` came from a search and was not freed.
 */
void nearshelf_hits_free(struct NearshelfHits *hits);

/*
 Sends the library's log to `callback`, with `user` passed on; NULL for nowhere, as at the start. Lines above `level`
 are left out. Any thread may call this, at any time; a line that another thread is writing may still come.

 Owed by the caller:
 `callback` may be called with `user` from any thread until another is set.
 */
void nearshelf_set_log(int32_t level,
                       NearshelfLog callback,
                       void *user);

/*
 Opens the shelf in a directory: maps its files and checks headers and lengths. Nothing is read through; the encoder
 is loaded by the first search by text, or by nearshelf_load_encoder.

 `abi` is NEARSHELF_ABI. `path` is in UTF-8 with a NUL at its end. `*shelf` becomes a handle that nearshelf_close
 frees. The files must not be changed while the shelf is open. Any thread may call this.

 Owed by the caller:
 `path` ends with a NUL, `shelf` is room for a pointer.
 */
NearshelfStatus nearshelf_open(uint32_t abi,
                               const char *path,
                               struct NearshelfShelf **shelf);

/*
 Opens a shelf whose files the program holds in memory, "shelf.nsm" among them. Nothing is copied: names may go
 when the call returns, the bytes must stay, unchanged, until nearshelf_close.

 Owed by the caller:
 `files` points to `count` files whose pointers are valid, `shelf` is room for a pointer.
 */
NearshelfStatus nearshelf_open_files(uint32_t abi,
                                     const struct NearshelfFile *files,
                                     size_t count,
                                     struct NearshelfShelf **shelf);

/*
 Closes a shelf. Hits that it gave stay; texts of its fields go. A search of another thread that is running is
 answered; later calls with the handle give NEARSHELF_STATUS_CLOSED. NULL is nothing to close.

 Owed by the caller:
 Texts that lie in the shelf are not looked at any more.
 */
NearshelfStatus nearshelf_close(struct NearshelfShelf *shelf);

/*
 Loads the encoder now, some milliseconds, instead of with the first search by text.

 */
NearshelfStatus nearshelf_load_encoder(const struct NearshelfShelf *shelf);

/*
 Reads every byte of the shelf and compares it with what was written.

 */
NearshelfStatus nearshelf_verify(const struct NearshelfShelf *shelf);

/*
 Writes the description of the shelf into `*about`, whose `struct_size` the program set.

 Owed by the caller:
 `about` is a NearshelfAbout.
 */
NearshelfStatus nearshelf_about(const struct NearshelfShelf *shelf, struct NearshelfAbout *about);

/*
 The best items for a text, by its words and its meaning: UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED. White space is a query
 for all items; a text longer than the encoder reads is truncated. The first search by text loads the encoder.

 `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.

 Owed by the caller:
 `query` and `options` are as said, `hits` is room for a pointer.
 */
NearshelfStatus nearshelf_search(const struct NearshelfShelf *shelf,
                                 const char *query,
                                 size_t length,
                                 const struct NearshelfSearchOptions *options,
                                 struct NearshelfHits **hits);

/*
 The items nearest to a unit vector of as many components as the shelf has, such as one of nearshelf_encode.

 `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.

 Owed by the caller:
 `vector` has `dims` components, `options` is as said, `hits` is room for a pointer.
 */
NearshelfStatus nearshelf_search_vector(const struct NearshelfShelf *shelf,
                                        const float *vector,
                                        size_t dims,
                                        const struct NearshelfSearchOptions *options,
                                        struct NearshelfHits **hits);

/*
 Items that are like one, by its own vector and words: its id in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED. It is no
 hit itself.

 `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.

 Owed by the caller:
 `id` and `options` are as said, `hits` is room for a pointer.
 */
NearshelfStatus nearshelf_similar(const struct NearshelfShelf *shelf,
                                  const char *id,
                                  size_t length,
                                  const struct NearshelfSearchOptions *options,
                                  struct NearshelfHits **hits);

/*
 Items that fit what somebody liked: several interests are kept apart.

 `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.

 Owed by the caller:
 `asked` and what it points to, and `options`, are as said, `hits` is room for a pointer.
 */
NearshelfStatus nearshelf_recommend(const struct NearshelfShelf *shelf,
                                    const struct NearshelfRecommend *asked,
                                    const struct NearshelfSearchOptions *options,
                                    struct NearshelfHits **hits);

/*
 The place of the item with an id in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED, for nearshelf_field:
 NEARSHELF_STATUS_NO_VALUE where the shelf has no such item.

 Owed by the caller:
 `id` is as said, `shard` and `item` are room for a number each.
 */
NearshelfStatus nearshelf_get(const struct NearshelfShelf *shelf,
                              const char *id,
                              size_t length,
                              uint32_t *shard,
                              uint32_t *item);

/*
 The unit vector of a text in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED, into `vector`, which has room for
 exactly `dims` components: those of the shelf. Any number of threads may encode.

 Owed by the caller:
 `text` is as said, `vector` has room for `dims` components.
 */
NearshelfStatus nearshelf_encode(const struct NearshelfShelf *shelf,
                                 const char *text,
                                 size_t length,
                                 float *vector,
                                 size_t dims);

/*
 Opens a shelf as it is in a directory now, after `nearshelf update` or `nearshelf compact`. Files that the open one has
 are shared, its encoder stays loaded, and its news are laid over. `*next` becomes a handle of its own, which
 nearshelf_close frees; `shelf` stays as it was, for searches that are at work, until it is closed. Any thread may call this.

 Owed by the caller:
 `path` ends with a NUL, `next` is room for a pointer.
 */
NearshelfStatus nearshelf_reopen(const struct NearshelfShelf *shelf,
                                 const char *path,
                                 struct NearshelfShelf **next);

/*
 Lays news of items over a shelf, such as live prices and stock: JSON in UTF-8 of `length` bytes, or
 NEARSHELF_NUL_TERMINATED, by id the fields with their new values, null for none, or null for an item that is gone:
 `{ "sku-1": { "price": 99 }, "sku-2": null }`. They stand above the shelf's files and are kept in none. `*next` becomes a
 handle of its own, which nearshelf_close frees; `shelf` stays as it was. Any thread may call this.

 Owed by the caller:
 `news` is as said, `next` is room for a pointer.
 */
NearshelfStatus nearshelf_overlay(const struct NearshelfShelf *shelf,
                                  const char *news,
                                  size_t length,
                                  struct NearshelfShelf **next);

/*
 The library's version, for example "0.1.0". Static: never freed.
 */
const char *nearshelf_version(void);

/*
 The library's own NEARSHELF_ABI.
 */
uint32_t nearshelf_abi(void);

/*
 The `k` likeliest completions of a text in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED: phrases of the catalog,
 or of the queries that the build was given. `*suggestions` is freed by nearshelf_suggestions_free.

 Owed by the caller:
 `prefix` is as said, `suggestions` is room for a pointer.
 */
NearshelfStatus nearshelf_suggest(const struct NearshelfShelf *shelf,
                                  const char *prefix,
                                  size_t length,
                                  size_t k,
                                  struct NearshelfSuggestions **suggestions);

/*
 Frees completions. NULL is nothing to free.

 Owed by the caller:
 `suggestions` came from nearshelf_suggest and was not freed.
 */
void nearshelf_suggestions_free(struct NearshelfSuggestions *suggestions);

/*
 The places of a query's words in a text field of an item, for highlighting: up to `capacity` of them into `ranges`, in rising
 order, their whole number into `*count`. `shard` and `item` are those of a hit.

 Owed by the caller:
 `query` and `field` are of so many bytes or NEARSHELF_NUL_TERMINATED, `ranges` has room for `capacity` of them, or is NULL where
 that is 0, `count` is room for a number.
 */
NearshelfStatus nearshelf_matches(const struct NearshelfShelf *shelf,
                                  const char *query,
                                  size_t query_length,
                                  uint32_t shard,
                                  uint32_t item,
                                  const char *field,
                                  size_t field_length,
                                  struct NearshelfRange *ranges,
                                  size_t capacity,
                                  size_t *count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NEARSHELF_H */
