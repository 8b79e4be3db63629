/* Threads that search one shelf: right answers, no growth, throughput of each. Usage: threads SHELF THREADS SEARCHES */
#include <nearshelf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *QUERIES[] = {"something warm for a rainy hike", "tent", "keeps my coffee hot on the go",
                                "a red dress for a summer wedding", "kettle", "noise", "what to wear at the beach"};
enum { QUERY_COUNT = sizeof QUERIES / sizeof *QUERIES };

static NearshelfShelf *shelf;
/* Right answers by text, and by vector. */
static NearshelfHits *by_text[QUERY_COUNT], *by_vector[QUERY_COUNT];
static float vectors[QUERY_COUNT][8192];
static size_t dims;
static long searches;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Resident kilobytes. */
static long resident(void) {
  long pages = 0, all;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  if (fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
  fclose(file);
  return pages * 4;
}

static void *work(void *result) {
  double start = now();
  for (long i = 0; i < searches; i++) {
    size_t q = (size_t)i % QUERY_COUNT;
    NearshelfHits *hits;
    /* By text each twentieth time, as that takes longest. */
    int text = i % 20 == 0;
    const NearshelfHits *right = text ? by_text[q] : by_vector[q];
    NearshelfStatus status = text
        ? nearshelf_search(shelf, QUERIES[q], NEARSHELF_NUL_TERMINATED, NULL, &hits)
        : nearshelf_search_vector(shelf, vectors[q], dims, NULL, &hits);
    if (status != NEARSHELF_STATUS_OK || hits->count != right->count) exit(3);
    for (size_t h = 0; h < hits->count; h++) {
      if (strcmp(hits->hits[h].id, right->hits[h].id) != 0 || hits->hits[h].score != right->hits[h].score) exit(4);
    }
    nearshelf_hits_free(hits);
  }
  *(double *)result = (double)searches / (now() - start);
  return NULL;
}

static void run(int count, double *rates) {
  pthread_t threads[64];
  for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, work, &rates[i]);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int count = atoi(argv[2]);
  double rates[64];
  if (count > 64) return 2;
  double start = now();
  if (nearshelf_open(NEARSHELF_ABI, argv[1], &shelf) != NEARSHELF_STATUS_OK) {
    fprintf(stderr, "%s\n", nearshelf_last_error());
    return 5;
  }
  printf("opened in %.3f ms\n", 1e3 * (now() - start));
  NearshelfAbout about = {.struct_size = sizeof about};
  if (nearshelf_about(shelf, &about) != NEARSHELF_STATUS_OK) return 6;
  dims = about.dims;
  for (size_t q = 0; q < QUERY_COUNT; q++) {
    nearshelf_encode(shelf, QUERIES[q], NEARSHELF_NUL_TERMINATED, vectors[q], dims);
    if (nearshelf_search(shelf, QUERIES[q], NEARSHELF_NUL_TERMINATED, NULL, &by_text[q]) != NEARSHELF_STATUS_OK) return 7;
    if (nearshelf_search_vector(shelf, vectors[q], dims, NULL, &by_vector[q]) != NEARSHELF_STATUS_OK) return 7;
  }
  /* As long once before, until every arena of the allocator has what it needs. */
  searches = atol(argv[3]);
  run(count, rates);
  long before = resident();
  run(count, rates);
  long grown = resident() - before;
  printf("%d threads x %ld searches: all right; memory grew by %ld KiB\n", count, searches, grown);
  printf("searches a second by thread:");
  for (int i = 0; i < count; i++) printf(" %.0f", rates[i]);
  printf("\n");
  for (size_t q = 0; q < QUERY_COUNT; q++) {
    nearshelf_hits_free(by_text[q]);
    nearshelf_hits_free(by_vector[q]);
  }
  nearshelf_close(shelf);
  /* Some pages are the allocator's: which arena a thread gets is chance. One string leaked a search would be more. */
  return grown > count * searches * 32 / 1024 ? 8 : 0;
}
