//! The options of the commands.

#[cfg(not(feature = "train"))]
mod absent;
#[cfg(feature = "train")]
mod export;
mod parse;
#[cfg(feature = "train")]
mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(not(feature = "train"))]
pub use absent::{ExportArgs, TrainArgs};
#[cfg(feature = "train")]
pub use export::{ExportArgs, Precision};
#[cfg(feature = "train")]
pub use train::TrainArgs;

/// Semantic product search where the shopper is.
#[derive(Debug, Parser)]
#[command(name = "nearshelf", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fine-tune an encoder by a recipe, measure it and make a model directory of it.
    Train(TrainArgs),
    /// Write a sentence encoder (config.json, model.safetensors, tokenizer.json) as ONNX.
    Export(ExportArgs),
    /// Encode texts, one a line, into a NumPy matrix.
    Encode(EncodeArgs),
    /// Build a shelf from a catalog.
    Build(BuildArgs),
    /// Bring a shelf up to date: new prices, new items, items that are gone.
    Update(UpdateArgs),
    /// Make a shelf that was updated one whole again.
    Compact(CompactArgs),
    /// Search a shelf by words and meaning; without a shelf, the demo.
    Search(SearchArgs),
    /// Complete what a shopper types; without a shelf, from the demo.
    Suggest(SuggestArgs),
    /// Find items that are like one; without a shelf, in the demo.
    Similar(SimilarArgs),
    /// Recommend items that fit others; without a shelf, from the demo.
    Recommend(RecommendArgs),
    /// Write the TypeScript interface of a shelf's items; without a shelf, of the demo's.
    Types(TypesArgs),
    /// Measure a shelf against judgements.
    Eval(EvalArgs),
    /// Show what is in a shelf, or how a model runs.
    Inspect(ShelfArgs),
    /// Check every byte of a shelf.
    Verify(ShelfArgs),
}

#[derive(Debug, Args)]
pub struct EncodeArgs {
    /// Model directory: network.nsn, or model.onnx and tokenizer.json.
    #[arg(long, value_name = "MODEL_DIR")]
    pub model: PathBuf,
    /// File of texts, one a line; - for standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub input: PathBuf,
    /// NumPy file to write: float32 [n, dim].
    #[arg(long, value_name = "FILE.npy")]
    pub out: PathBuf,
    /// Tokens that texts are truncated to, instead of the model's default.
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    /// Threads; 0 for all cores.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Bits of a query encoder's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryBits {
    #[value(name = "8")]
    Eight,
    #[value(name = "4")]
    Four,
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The catalog: .jsonl, .csv, .tsv or .parquet, gzipped or not.
    #[arg(long, value_name = "FILE")]
    pub items: PathBuf,
    /// Model directory, or a shelf whose encoder is taken; without it the demo's encoder, which is built in.
    #[arg(long, value_name = "MODEL_DIR|SHELF")]
    pub model: Option<PathBuf>,
    /// Directory to make.
    #[arg(long, value_name = "SHELF")]
    pub out: PathBuf,
    /// Field that names an item.
    #[arg(long, value_name = "FIELD", default_value = "id")]
    pub id: String,
    /// Fields whose texts are encoded and whose words are counted, each with a weight of its words or without.
    #[arg(
        long,
        value_name = "FIELD[:WEIGHT],…",
        value_delimiter = ',',
        default_value = "title",
        value_parser = parse::text_field
    )]
    pub text: Vec<nearshelf_build::TextField>,
    /// Fields whose values are identifiers, such as sku,gtin,mpn: a query for one finds its item first.
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    pub exact: Vec<String>,
    /// Language whose stems words are counted by: da, nl, en, fr, de, it, no, pt, ru, es, sv, or none.
    #[arg(long, value_name = "CODE", default_value_t)]
    pub language: nearshelf_build::Language,
    /// Synonyms, a line each: "couch, sofa" both ways, "sneaker => trainer" one way.
    #[arg(long, value_name = "FILE")]
    pub synonyms: Option<PathBuf>,
    /// Queries that others are completed with, a line each, with a count behind a tab or without; else phrases of the items.
    #[arg(long, value_name = "FILE")]
    pub suggestions: Option<PathBuf>,
    /// Fields that hits come back with, each with its type (text, number, bool, tags) or without;
    /// all fields when left out.
    #[arg(long, value_name = "FIELD[:TYPE],…", value_delimiter = ',', value_parser = parse::field_spec)]
    pub fields: Vec<nearshelf_build::FieldSpec>,
    /// Items in a shard at most: 65,535 suits native apps; a browser or an edge function, which
    /// fetches shards one by one (and may cap a file at 25 MiB), wants 8,000 to 30,000.
    #[arg(long, value_name = "N", default_value_t = nearshelf_build::BuildOptions::default().shard_size)]
    pub shard_size: usize,
    /// Bits that each component of a vector is stored with, for walks and for final scores: 4+4 is the default; 4+2 and
    /// 4+3 are smaller, 4+5 finds more.
    #[arg(long, value_name = "BITS", default_value_t)]
    pub precision: nearshelf_build::Precision,
    /// Bits of the query encoder's weights: 4 halves what pages download before they search by meaning, at a little quality.
    /// Items are encoded with 8.
    #[arg(long, value_enum, default_value = "8")]
    pub query_bits: QueryBits,
    /// Recall@10 against exact search that the shelf's search defaults have to reach: less is faster.
    #[arg(long, value_name = "SHARE", default_value_t = nearshelf_build::BuildOptions::default().recall)]
    pub recall: f64,
    /// Seed of clustering and graphs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Threads; 0 for all cores. The shelf is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Vectors of the items, float32 [n, dim] of length 1 in the order of the items, instead of
    /// encoding them.
    #[arg(long, value_name = "FILE.npy")]
    pub vectors: Option<PathBuf>,
    /// File of vectors that earlier builds kept: texts that it has are not encoded again.
    #[arg(long, value_name = "CACHE", conflicts_with = "vectors")]
    pub reuse: Option<PathBuf>,
    /// File to keep the vectors in, beside the shelf: for --reuse of the next build, and of compact.
    #[arg(long, value_name = "CACHE")]
    pub keep_vectors: Option<PathBuf>,
    /// Go on where a build of the same items that was killed stopped encoding: its vectors are beside the shelf.
    #[arg(long, conflicts_with = "vectors")]
    pub resume: bool,
    /// Fail on the first problem in the catalog, and build nothing.
    #[arg(long)]
    pub strict: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// The shelf.
    pub shelf: PathBuf,
    /// Rows that are new or have changed, as `build` reads them; a whole export will do. A row with a text is the whole item; one
    /// without names what changes of a known item.
    #[arg(long, value_name = "FILE", required_unless_present = "remove")]
    pub items: Option<PathBuf>,
    /// Ids of items that go, one a line; instead of --items, or with it.
    #[arg(long, value_name = "FILE")]
    pub remove: Option<PathBuf>,
    /// Model directory of the items' encoder, where the shelf carries a smaller one for queries and the items' is not built in.
    #[arg(long, value_name = "MODEL_DIR")]
    pub model: Option<PathBuf>,
    /// Directory to make, instead of a change in place.
    #[arg(long, value_name = "SHELF")]
    pub out: Option<PathBuf>,
    /// File to keep the new vectors in, as of `build`.
    #[arg(long, value_name = "CACHE")]
    pub keep_vectors: Option<PathBuf>,
    /// Manifests whose files stay, the new one among them: pages have the others open for a while.
    #[arg(long, value_name = "N", default_value_t = nearshelf_build::UpdateOptions::default().keep)]
    pub keep: usize,
    /// Threads; 0 for all cores. The shelf is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Fail on the first problem in the rows, or an id to remove that is not there, and change nothing.
    #[arg(long)]
    pub strict: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CompactArgs {
    /// The shelf.
    pub shelf: PathBuf,
    /// Directory to make, instead of a change in place.
    #[arg(long, value_name = "SHELF")]
    pub out: Option<PathBuf>,
    /// File of vectors that builds and updates kept: with it the shelf has the bytes of a build from nothing.
    #[arg(long, value_name = "CACHE")]
    pub reuse: Option<PathBuf>,
    /// Manifests whose files stay, the new one among them.
    #[arg(long, value_name = "N", default_value_t = nearshelf_build::CompactOptions::default().keep)]
    pub keep: usize,
    /// Threads; 0 for all cores. The shelf is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Shelf and query; with one of them, the query goes to the demo shelf. An empty query is one for all items.
    #[arg(value_name = "[SHELF] QUERY", num_args = 0..=2)]
    pub target: Vec<String>,
    #[command(flatten)]
    pub page: PageFlags,
    /// Many queries instead of one: JSON Lines with "_id" and "text".
    #[arg(long, value_name = "FILE.jsonl", requires = "run")]
    pub queries: Option<PathBuf>,
    /// TREC run to write for --queries.
    #[arg(long, value_name = "OUT.trec", requires = "queries")]
    pub run: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// Shelf and text; with one of them, the text is completed from the demo shelf.
    #[arg(value_name = "[SHELF] TEXT", num_args = 1..=2, required = true)]
    pub target: Vec<String>,
    /// Completions wanted.
    #[arg(short, value_name = "K", default_value = "10", value_parser = parse::positive)]
    pub k: usize,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SimilarArgs {
    /// Shelf and id; with one of them, the item is one of the demo shelf.
    #[arg(value_name = "[SHELF] ID", num_args = 1..=2, required = true)]
    pub target: Vec<String>,
    #[command(flatten)]
    pub page: PageFlags,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RecommendArgs {
    /// The shelf; without one, the demo.
    pub shelf: Option<PathBuf>,
    /// Ids of items that are liked, in the order in which they were looked at.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub like: Vec<String>,
    /// Ids of items that are not.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub unlike: Vec<String>,
    /// Weights of the liked items; without, the last counts most.
    #[arg(long, value_name = "WEIGHT,…", value_delimiter = ',')]
    pub weights: Vec<f32>,
    /// A text that hits have to fit besides.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    #[command(flatten)]
    pub page: PageFlags,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct TypesArgs {
    /// The shelf; without one, the demo.
    pub shelf: Option<PathBuf>,
    /// Name of the interface.
    #[arg(long, value_name = "NAME", default_value = "Product", value_parser = parse::identifier)]
    pub name: String,
}

/// Which of the items that match are shown, in which order, and what is counted over all of them.
#[derive(Debug, Clone, Args)]
pub struct PageFlags {
    #[command(flatten)]
    pub search: SearchFlags,
    /// Hits wanted.
    #[arg(short, value_name = "K", default_value = "10", value_parser = parse::positive)]
    pub k: usize,
    /// Hits that are passed over, for the next page.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: usize,
    /// Order hits by fields, not by score: price:asc, rating:desc.
    #[arg(long, value_name = "FIELD:asc|desc,…", value_delimiter = ',')]
    pub sort: Vec<nearshelf::Sort>,
    /// Lift scores by fields: in_stock:0.2, or with the value that has half of the weight, reviews:0.1:100.
    #[arg(
        long,
        value_name = "FIELD:WEIGHT[:PIVOT],…",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub boosts: Vec<nearshelf::Boost>,
    /// Ids of items that stand first.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub pin: Vec<String>,
    /// Ids of items that are no hits.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub hide: Vec<String>,
    /// One hit for each value of a field, such as a model of which there are variants.
    #[arg(long, value_name = "FIELD")]
    pub distinct: Option<String>,
    /// Count values over all items that match: brand, brand:5, brand:5:cal, price:0..25|25..50|50.., price:histogram:8.
    #[arg(long, value_name = "FACET,…", value_delimiter = ',')]
    pub facets: Vec<nearshelf::FacetQuery>,
    /// Weight of difference: hits that are like one another give way to others, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse::share)]
    pub diversity: f32,
}

#[derive(Debug, Clone, Args)]
pub struct SearchFlags {
    /// Parts of a text that items are compared by: words and meaning in one ranking, or one alone.
    #[arg(long, value_name = "hybrid|words|meaning", default_value_t)]
    pub mode: nearshelf::Mode,
    /// Weight of the words in a hybrid score beside the meaning, 0 to 1.
    #[arg(long, value_name = "SHARE", value_parser = parse::share)]
    pub weight: Option<f32>,
    /// Take the last word of a query for the beginning of one, as while it is being typed.
    #[arg(long)]
    pub typing: bool,
    /// Leave out hits that are no better than chance.
    #[arg(long)]
    pub leave_weak: bool,
    /// Shards to search, nearest first; the shelf's own default when left out.
    #[arg(long, value_name = "N", value_parser = parse::positive)]
    pub probe: Option<usize>,
    /// Candidates to keep while searching; more find more and take longer.
    #[arg(long, value_name = "N", value_parser = parse::positive)]
    pub ef: Option<usize>,
    /// Items that may be hits, by their fields: price < 50 AND brand IN ["Calder"] AND NOT category = "tents".
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<nearshelf::Filter>,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The shelf.
    pub shelf: PathBuf,
    /// Queries: JSON Lines with "_id" and "text", for strata "frequency" and "vertical", and "where" for a filter.
    #[arg(long, value_name = "FILE", required_unless_present = "histories")]
    pub queries: Option<PathBuf>,
    /// Judgements: query, item and grade, separated by tabs; without, the hits of an exact search are the right ones.
    #[arg(long, value_name = "FILE", requires = "queries")]
    pub qrels: Option<PathBuf>,
    /// Histories instead of queries: JSON Lines with "items", ids in the order of time, of which the last is to be
    /// recommended from the others.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["queries", "systems", "against", "run"])]
    pub histories: Option<PathBuf>,
    #[command(flatten)]
    pub search: SearchFlags,
    /// Depth of the metrics.
    #[arg(short, value_name = "K", default_value = "10", value_parser = parse::positive)]
    pub k: usize,
    /// Grade from which an item counts as relevant (recall, MRR, hit).
    #[arg(long, value_name = "GRADE", default_value_t = 1.0)]
    pub relevant: f64,
    /// Ways of the shelf's own to compare with each other, instead of --mode.
    #[arg(long, value_delimiter = ',', value_name = "words,meaning,hybrid")]
    pub systems: Vec<nearshelf::Mode>,
    /// Systems to compare with.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "bm25,exact|popular,words,mean"
    )]
    pub baseline: Vec<Baseline>,
    /// TREC run of another system to compare with: is the difference significant?
    #[arg(long, value_name = "RUN.trec")]
    pub against: Option<PathBuf>,
    /// TREC run to write.
    #[arg(long, value_name = "OUT.trec")]
    pub run: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Baseline {
    /// Words that query and item share.
    Bm25,
    /// Every item compared, no index.
    Exact,
    /// Of histories: the items that are in most of the others.
    Popular,
    /// Of histories: a search for the words of the items' texts.
    Words,
    /// Of histories: a search for the mean of the items' vectors.
    Mean,
}

#[derive(Debug, Args)]
pub struct ShelfArgs {
    /// The shelf.
    pub shelf: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}
