/* Every mistake that a caller can make has its code, and breaks nothing. Usage: misuse SHELF */
#include <math.h>
#include <nearshelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_of_failure = 0;
#define EXPECT(status, call, says)                                                                 \
  do {                                                                                             \
    NearshelfStatus found = (call);                                                                \
    const char *message = found == NEARSHELF_STATUS_OK ? "" : nearshelf_last_error();              \
    if (found != NEARSHELF_STATUS_##status || !strstr(message, says)) {                            \
      fprintf(stderr, "line %d: expected " #status " with \"%s\", found %d: %s\n", __LINE__, says, \
              (int)found, message);                                                                \
      line_of_failure = __LINE__;                                                                  \
    }                                                                                              \
  } while (0)
#define NUL NEARSHELF_NUL_TERMINATED

static int logged = 0;
static void count(NearshelfLevel level, const char *message, void *user) {
  (void)level;
  (void)message;
  *(int *)user += 1;
}

static unsigned char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*length + 1);
  if (fread(bytes, 1, *length, file) != *length) abort();
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  NearshelfShelf *shelf = NULL, *other = NULL;
  NearshelfHits *hits = NULL;
  if (nearshelf_abi() != NEARSHELF_ABI || strlen(nearshelf_version()) < 5) return 3;
  if (nearshelf_last_error()[0] != 0) return 4;
  nearshelf_set_log(NEARSHELF_LEVEL_WARN, count, &logged);

  EXPECT(WRONG_ABI, nearshelf_open(NEARSHELF_ABI + 1, argv[1], &shelf), "different versions");
  EXPECT(NULL_POINTER, nearshelf_open(NEARSHELF_ABI, NULL, &shelf), "path");
  EXPECT(NULL_POINTER, nearshelf_open(NEARSHELF_ABI, argv[1], NULL), "shelf");
  EXPECT(INVALID_UTF8, nearshelf_open(NEARSHELF_ABI, "\xff\xfe", &shelf), "UTF-8");
  EXPECT(IO, nearshelf_open(NEARSHELF_ABI, "/nowhere", &shelf), "/nowhere/shelf.nsm");
  EXPECT(OK, nearshelf_open(NEARSHELF_ABI, argv[1], &shelf), "");
  EXPECT(OK, nearshelf_load_encoder(shelf), "");

  /* News of a session, and a shelf that is taken anew, are handles of their own. */
  {
    NearshelfShelf *next = NULL, *again = NULL;
    NearshelfValue price = {.struct_size = sizeof price};
    uint32_t at_shard = 0, at_item = 0;
    char news[256];
    EXPECT(OK, nearshelf_search(shelf, "tent", NUL, NULL, &hits), "");
    const NearshelfHit *first = &hits->hits[0], *second = &hits->hits[1];
    snprintf(news, sizeof news, "{\"%s\":{\"price\":0.25},\"%s\":null}", first->id, second->id);
    EXPECT(OK, nearshelf_overlay(shelf, news, NUL, &next), "");
    EXPECT(OK, nearshelf_reopen(next, argv[1], &again), "");
    for (int turn = 0; turn < 2; turn++) {
      NearshelfShelf *newer = turn ? again : next;
      EXPECT(OK, nearshelf_field(newer, first->shard, first->item, "price", NUL, &price), "");
      if (price.number != 0.25) line_of_failure = __LINE__;
      EXPECT(NO_VALUE, nearshelf_get(newer, second->id, NUL, &at_shard, &at_item), "has no item");
      EXPECT(OK, nearshelf_close(newer), "");
    }
    EXPECT(OK, nearshelf_field(shelf, first->shard, first->item, "price", NUL, &price), "");
    if (price.number == 0.25) line_of_failure = __LINE__;
    EXPECT(OK, nearshelf_get(shelf, second->id, NUL, &at_shard, &at_item), "");
    EXPECT(INVALID_ARGUMENT, nearshelf_overlay(shelf, "{", NUL, &next), "news");
    EXPECT(INVALID_ARGUMENT, nearshelf_overlay(shelf, "{\"a\":{\"prise\":1}}", NUL, &next), "price");
    EXPECT(NULL_POINTER, nearshelf_overlay(shelf, NULL, NUL, &next), "news");
    EXPECT(IO, nearshelf_reopen(shelf, "/nowhere", &next), "/nowhere/shelf.nsm");
    nearshelf_hits_free(hits);
  }

  EXPECT(NULL_POINTER, nearshelf_search(NULL, "tent", NUL, NULL, &hits), "shelf");
  EXPECT(NULL_POINTER, nearshelf_search(shelf, NULL, NUL, NULL, &hits), "query");
  EXPECT(NULL_POINTER, nearshelf_search(shelf, NULL, 4, NULL, &hits), "query");
  EXPECT(NULL_POINTER, nearshelf_search(shelf, "tent", NUL, NULL, NULL), "hits");
  EXPECT(INVALID_UTF8, nearshelf_search(shelf, "te\xc3(t", NUL, NULL, &hits), "at 2");
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", SIZE_MAX / 2 + 1, NULL, &hits), "memory can hold");
  NearshelfSearchOptions options = {.struct_size = 3};
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "struct_size");
  options.struct_size = (size_t)-1;
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "struct_size");
  EXPECT(INVALID_ARGUMENT,
         nearshelf_search(shelf, "tent", NUL, (NearshelfSearchOptions *)((char *)&options + 1), &hits), "multiple of");

  /* A program of a later header: fields that this library does not know may be there, but not set. */
  struct {
    NearshelfSearchOptions known;
    size_t later;
  } larger = {{.struct_size = sizeof larger, .k = 3}, 0};
  EXPECT(OK, nearshelf_search(shelf, "tent", NUL, &larger.known, &hits), "");
  if (hits->count != 3 || hits->struct_size != sizeof *hits || strlen(hits->hits[0].id) != hits->hits[0].id_length) return 5;
  NearshelfHit first = hits->hits[0];
  nearshelf_hits_free(hits);
  nearshelf_hits_free(NULL);
  larger.later = 1;
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &larger.known, &hits), "update the library");
  /* And one of an earlier one. */
  options = (NearshelfSearchOptions){.struct_size = 2 * sizeof(size_t), .k = 4, .probe = (size_t)-1};
  EXPECT(OK, nearshelf_search(shelf, "tent", NUL, &options, &hits), "");
  if (hits->count != 4) return 6;
  nearshelf_hits_free(hits);
  /* Without a word, all items are wanted. */
  EXPECT(OK, nearshelf_search(shelf, "", 0, NULL, &hits), "");
  if (hits->count != 10 || hits->matches != 6000 || !hits->matches_are_exact || hits->facet_count != 0) return 7;
  nearshelf_hits_free(hits);
  EXPECT(OK, nearshelf_search(shelf, " \n", NUL, NULL, &hits), "");
  nearshelf_hits_free(hits);

  options = (NearshelfSearchOptions){.struct_size = sizeof options, .filter = "price < 20", .filter_length = NUL};
  EXPECT(OK, nearshelf_search(shelf, "a gift", NUL, &options, &hits), "");
  if (hits->count != 10) return 8;
  for (size_t i = 0; i < hits->count; i++) {
    NearshelfValue price = {.struct_size = sizeof price};
    EXPECT(OK, nearshelf_field(shelf, hits->hits[i].shard, hits->hits[i].item, "price", NUL, &price), "");
    if (!(price.number < 20)) return 9;
  }
  nearshelf_hits_free(hits);
  options.filter = "prise < 20";
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "perhaps price");
  options.filter = "price <";
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "byte 7");
  options.filter_length = 5;
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "byte 5");


  options = (NearshelfSearchOptions){.struct_size = sizeof options, .k = 5, .sort = "price:asc", .distinct = "brand", .facets = "brand:3,price:0..20|20.."};
  EXPECT(OK, nearshelf_search(shelf, "rain jacket", NUL, &options, &hits), "");
  if (hits->count != 5 || hits->hits[0].variants == 0 || hits->facet_count != 2) return 50;
  const NearshelfFacet *brands = &hits->facets[0], *prices = &hits->facets[1];
  if (brands->count != 3 || brands->distinct < 3 || brands->counts[0].count < brands->counts[1].count) return 51;
  if (strncmp(brands->field.data, "brand", brands->field.length) != 0 || brands->counts[0].value.length == 0) return 52;
  if (prices->count != 2 || !(prices->min < prices->max) || prices->counts[1].from != 20 || !isnan(prices->counts[1].to)) return 53;
  if (prices->counts[0].count + prices->counts[1].count != hits->matches) return 54;
  char best[64];
  strcpy(best, hits->hits[0].id);
  nearshelf_hits_free(hits);
  options = (NearshelfSearchOptions){.struct_size = sizeof options, .sort = "prise"};
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "perhaps price");
  options = (NearshelfSearchOptions){.struct_size = sizeof options, .sort = "price:up"};
  EXPECT(INVALID_ARGUMENT, nearshelf_search(shelf, "tent", NUL, &options, &hits), "asc or desc");
  options = (NearshelfSearchOptions){.struct_size = sizeof options, .k = 3, .hide = best};
  EXPECT(OK, nearshelf_similar(shelf, best, NUL, &options, &hits), "");
  if (hits->count != 3) return 55;
  for (size_t i = 0; i < hits->count; i++) if (strcmp(hits->hits[i].id, best) == 0) return 56;
  nearshelf_hits_free(hits);
  EXPECT(INVALID_ARGUMENT, nearshelf_similar(shelf, "nobody", NUL, &options, &hits), "nobody");
  EXPECT(OK, nearshelf_search(shelf, "jackte qqxvzzkw", NUL, NULL, &hits), "");
  if (hits->correction_count != 1 || hits->unknown_word_count != 1) return 58;
  if (hits->corrections[0].from.length != 6 || memcmp(hits->corrections[0].from.data, "jackte", 6) != 0) return 59;
  if (hits->corrections[0].to.length != 6 || memcmp(hits->corrections[0].to.data, "jacket", 6) != 0) return 60;
  if (hits->unknown_words[0].length != 8 || memcmp(hits->unknown_words[0].data, "qqxvzzkw", 8) != 0) return 61;
  nearshelf_hits_free(hits);
  EXPECT(OK, nearshelf_search(shelf, "tent", NUL, NULL, &hits), "");
  if (hits->correction_count != 0 || hits->unknown_word_count != 0) return 62;
  nearshelf_hits_free(hits);
  NearshelfText like[] = {{best, strlen(best)}, {"demo-00001", 10}};
  NearshelfRecommend asked = {.struct_size = sizeof asked, .like = like, .like_count = 2, .text = {"blue", 4}};
  EXPECT(OK, nearshelf_recommend(shelf, &asked, &options, &hits), "");
  if (hits->count != 3) return 57;
  nearshelf_hits_free(hits);
  asked.like_count = 0;
  asked.text.length = 0;
  EXPECT(INVALID_ARGUMENT, nearshelf_recommend(shelf, &asked, &options, &hits), "liked");
  asked.struct_size = 4;
  EXPECT(INVALID_ARGUMENT, nearshelf_recommend(shelf, &asked, &options, &hits), "struct_size");
  uint32_t shard, item;
  EXPECT(OK, nearshelf_get(shelf, best, NUL, &shard, &item), "");
  EXPECT(NO_VALUE, nearshelf_get(shelf, "nobody", NUL, &shard, &item), "nobody");

  NearshelfAbout about = {.struct_size = sizeof about};
  EXPECT(OK, nearshelf_about(shelf, &about), "");
  EXPECT(NULL_POINTER, nearshelf_about(shelf, NULL), "about");
  about.struct_size = 8;
  EXPECT(INVALID_ARGUMENT, nearshelf_about(shelf, &about), "struct_size");
  float vector[8192] = {0};
  EXPECT(INVALID_ARGUMENT, nearshelf_encode(shelf, "tent", NUL, vector, about.dims - 1), "dims");
  EXPECT(NULL_POINTER, nearshelf_encode(shelf, "tent", NUL, NULL, about.dims), "vector");
  EXPECT(OK, nearshelf_encode(shelf, "tent", NUL, vector, about.dims), "");
  EXPECT(INVALID_ARGUMENT, nearshelf_search_vector(shelf, vector, 0, NULL, &hits), "numbers");
  EXPECT(INVALID_ARGUMENT, nearshelf_search_vector(shelf, vector, about.dims + 1, NULL, &hits), "numbers");
  EXPECT(NULL_POINTER, nearshelf_search_vector(shelf, NULL, about.dims, NULL, &hits), "vector");
  EXPECT(OK, nearshelf_search_vector(shelf, vector, about.dims, NULL, &hits), "");
  nearshelf_hits_free(hits);
  vector[1] = NAN;
  EXPECT(INVALID_ARGUMENT, nearshelf_search_vector(shelf, vector, about.dims, NULL, &hits), "finite");

  NearshelfValue value = {.struct_size = sizeof value};
  EXPECT(OK, nearshelf_field(shelf, first.shard, first.item, "title", NUL, &value), "");
  if (value.kind != NEARSHELF_KIND_TEXT || value.text.length < 4) return 8;
  EXPECT(NO_VALUE, nearshelf_field(shelf, first.shard, first.item, "colour", NUL, &value), "expected one of");
  EXPECT(NO_VALUE, nearshelf_field(shelf, 77, first.item, "title", NUL, &value), "shard 77");
  EXPECT(NO_VALUE, nearshelf_field(shelf, first.shard, UINT32_MAX, "title", NUL, &value), "item");
  EXPECT(NULL_POINTER, nearshelf_field(shelf, first.shard, first.item, NULL, NUL, &value), "name");
  EXPECT(NULL_POINTER, nearshelf_field(shelf, first.shard, first.item, "title", NUL, NULL), "value");
  value.struct_size = 0;
  EXPECT(INVALID_ARGUMENT, nearshelf_field(shelf, first.shard, first.item, "title", NUL, &value), "struct_size");
  value.struct_size = sizeof value;
  EXPECT(OK, nearshelf_field(shelf, first.shard, first.item, "price", NUL, &value), "");
  if (value.kind != NEARSHELF_KIND_NUMBER || !(value.number > 0)) return 9;
  EXPECT(OK, nearshelf_field(shelf, first.shard, first.item, "tags", NUL, &value), "");
  NearshelfText tag;
  for (size_t i = 0; i < value.tags; i++) {
    EXPECT(OK, nearshelf_tag(shelf, first.shard, first.item, "tags", NUL, i, &tag), "");
    if (tag.length == 0) return 10;
  }
  EXPECT(NO_VALUE, nearshelf_tag(shelf, first.shard, first.item, "tags", NUL, value.tags, &tag), "no tag");
  EXPECT(NO_VALUE, nearshelf_tag(shelf, first.shard, first.item, "title", NUL, 0, &tag), "no tag");
  NearshelfKind kind;
  for (size_t i = 0; i < about.fields; i++) EXPECT(OK, nearshelf_field_name(shelf, i, &tag, &kind), "");
  EXPECT(NO_VALUE, nearshelf_field_name(shelf, about.fields, &tag, &kind), "expected one below");
  EXPECT(NULL_POINTER, nearshelf_field_name(shelf, 0, &tag, NULL), "kind");

  /* The same from memory, and then with a byte that is not right. The names are arguments. */
  size_t count_of_files = (size_t)argc - 2;
  NearshelfFile *files = calloc(count_of_files + 1, sizeof *files);
  for (size_t i = 0; i < count_of_files; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", argv[1], argv[i + 2]);
    files[i].name = argv[i + 2];
    files[i].data = read_file(path, &files[i].length);
    if (!files[i].data) return 11;
  }
  EXPECT(NULL_POINTER, nearshelf_open_files(NEARSHELF_ABI, NULL, 2, &other), "files");
  EXPECT(IO, nearshelf_open_files(NEARSHELF_ABI, files, 0, &other), "shelf.nsm");
  EXPECT(OK, nearshelf_open_files(NEARSHELF_ABI, files, count_of_files, &other), "");
  EXPECT(OK, nearshelf_search(other, "tent", NUL, NULL, &hits), "");
  if (strcmp(hits->hits[0].id, first.id == NULL ? "" : hits->hits[0].id) != 0) return 12;
  EXPECT(OK, nearshelf_verify(other), "");
  EXPECT(OK, nearshelf_close(other), "");
  /* Hits outlive their shelf. */
  if (strlen(hits->hits[0].id) != hits->hits[0].id_length) return 13;
  nearshelf_hits_free(hits);
  for (size_t i = 0; i < count_of_files; i++) {
    ((unsigned char *)files[i].data)[files[i].length / 2] ^= 1;
    NearshelfStatus opened = nearshelf_open_files(NEARSHELF_ABI, files, count_of_files, &other);
    if (opened == NEARSHELF_STATUS_OK) {
      EXPECT(DAMAGED, nearshelf_verify(other), "expected");
      EXPECT(OK, nearshelf_close(other), "");
    } else if (opened != NEARSHELF_STATUS_DAMAGED) {
      return 14;
    }
    ((unsigned char *)files[i].data)[files[i].length / 2] ^= 1;
    files[i].length -= 1;
    EXPECT(DAMAGED, nearshelf_open_files(NEARSHELF_ABI, files, count_of_files, &other), "expected");
    files[i].length += 1;
  }

  EXPECT(OK, nearshelf_close(NULL), "");
  EXPECT(OK, nearshelf_close(shelf), "");
  EXPECT(CLOSED, nearshelf_close(shelf), "closed");
  EXPECT(CLOSED, nearshelf_search(shelf, "tent", NUL, NULL, &hits), "closed");
  EXPECT(CLOSED, nearshelf_field(shelf, 0, 0, "title", NUL, &value), "closed");
  EXPECT(CLOSED, nearshelf_verify((NearshelfShelf *)&options), "closed");
  for (size_t i = 0; i < count_of_files; i++) free((void *)files[i].data);
  free(files);
  nearshelf_set_log(NEARSHELF_LEVEL_OFF, NULL, NULL);
  if (line_of_failure == 0) printf("every mistake has its code\n");
  return line_of_failure != 0;
}
