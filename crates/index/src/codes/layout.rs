//! The seam of layouts: what one has to do.

use nearshelf_container::{Absent, FileWriter, Head, Result, Storage};

/// A layout of codes, opened over the sections of a shard.
pub trait Codes: Sized {
    /// The layout's number in a shard's record.
    const ID: u32;
    /// The layout's name, for people.
    const NAME: &'static str;
    /// A vector as the layout stores it.
    type Vector;
    /// A query vector, prepared once for all shards.
    type Query: CodedQuery;
    /// A stored vector, prepared to be compared with others of its kind.
    type Operand<'a>;
    /// The rows that walks and scans compare.
    type Rows<'a>: Rows<Query = Self::Query>;

    /// Encodes a vector of finite components.
    fn encode(vector: &[f32]) -> Self::Vector;

    /// Prepares a query vector; `None` when a component is not finite.
    fn prepare(vector: &[f32]) -> Option<Self::Query>;

    /// Prepares a stored vector for [`Codes::pair`].
    fn operand(vector: &Self::Vector) -> Self::Operand<'_>;

    /// Similarity of two stored vectors by their coarse codes: what the graph is built by.
    fn pair(a: &Self::Operand<'_>, b: &Self::Operand<'_>) -> f32;

    /// Appends the sections of these vectors, those that walks read first.
    ///
    /// # Errors
    /// A vector of other dimensions.
    fn write(dims: usize, vectors: &[Self::Vector], file: &mut FileWriter) -> Result<()>;

    /// Finds the layout's sections.
    ///
    /// # Errors
    /// A section that is missing or of another size.
    fn open(head: &Head, items: usize, dims: usize) -> Result<Self>;

    /// The rows that walks and scans compare.
    ///
    /// # Errors
    /// The sections are not here.
    fn rows<'a, S: Storage>(&self, storage: &'a S) -> Result<Self::Rows<'a>, Absent>;

    /// The final score of an item, ⟨query, vector⟩ by all of its codes. `None` past the last item.
    ///
    /// # Errors
    /// The item's codes are not here.
    fn score<S: Storage>(
        &self,
        storage: &S,
        query: &Self::Query,
        item: usize,
    ) -> Result<Option<f32>, Absent>;

    /// The vector of an item as its codes have it, `[dims]`. `None` past the last item.
    ///
    /// # Errors
    /// The item's codes are not here.
    fn decode<S: Storage>(&self, storage: &S, item: usize) -> Result<Option<Vec<f32>>, Absent>;
}

/// A prepared query, as every layout of codes has it.
pub trait CodedQuery {
    /// Components of the vector.
    fn dims(&self) -> usize;

    /// A cosine of 1 as a score by coarse codes.
    fn unit(&self) -> f32;
}

/// The rows of a layout that walks and scans compare with a query.
pub trait Rows {
    /// The layout's query.
    type Query;

    /// Scores items in their order by coarse codes. Items that the shard does not have are left out. `dots` has
    /// room for as many numbers as there are items.
    fn score(
        &self,
        query: &Self::Query,
        items: &[u16],
        dots: &mut [i32],
        found: impl FnMut(u16, f32),
    );
}
