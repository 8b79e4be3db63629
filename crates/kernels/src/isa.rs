//! Instruction sets, and the choice of one.

use std::sync::OnceLock;

use fearless_simd::{Level, Simd};

use crate::backend::Backend;
use crate::dot::Portable;
#[cfg(target_arch = "x86_64")]
use crate::dot::{Avx2Maddubs, Avx2Vnni, Avx512Vnni};

/// The instruction set that kernels run on. All give the same bits.
#[derive(Clone, Copy)]
pub struct Isa(Kind);

#[derive(Clone, Copy)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512Vnni),
    #[cfg(target_arch = "x86_64")]
    Avx2Vnni(Avx2Vnni),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2Maddubs),
    #[cfg(target_arch = "aarch64")]
    NeonDot(crate::dot::NeonDot),
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Wasm(crate::dot::Wasm),
    Portable(Portable<Baseline>),
}

/// The instructions that every machine of this target has.
#[cfg(target_arch = "x86_64")]
type Baseline = fearless_simd::x86::Sse2;
#[cfg(target_arch = "aarch64")]
type Baseline = fearless_simd::aarch64::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
type Baseline = fearless_simd::wasm32::WasmSimd128;
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
type Baseline = fearless_simd::Fallback;

fn baseline() -> Baseline {
    let level = Level::baseline();
    #[cfg(target_arch = "x86_64")]
    let simd = level.as_sse2();
    #[cfg(target_arch = "aarch64")]
    let simd = level.as_neon();
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let simd = level.as_wasm_simd128();
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    let simd = match level {
        Level::Fallback(simd) => Some(simd),
    };
    simd.expect("a target's baseline is what all its machines have")
}

/// Work that is written once for all instruction sets.
pub(crate) trait Work {
    type Output;
    fn run<B: Backend>(self, backend: B) -> Self::Output;
}

impl Isa {
    /// The environment variable that names the instruction set to be used.
    pub const VARIABLE: &str = "NEARSHELF_ISA";

    /// The fastest of this machine, or the one that [`Isa::VARIABLE`] names, where the machine has it.
    pub fn detect() -> Isa {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let available = Isa::available();
            let asked = std::env::var(Isa::VARIABLE).ok();
            let named = available
                .iter()
                .find(|isa| Some(isa.name()) == asked.as_deref());
            *named.or(available.last()).unwrap_or(&Isa::portable())
        })
    }

    /// All that this machine can run, the fastest last.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut, reason = "some targets have only one")]
        let mut available = vec![Isa::portable()];
        let level = Level::new();
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = level.as_avx2() {
                available.push(Isa(Kind::Avx2(Avx2Maddubs(simd))));
                available.extend(Avx2Vnni::new(simd).map(|b| Isa(Kind::Avx2Vnni(b))));
            }
            if let Some(simd) = level.as_avx512() {
                available.push(Isa(Kind::Avx512Vnni(Avx512Vnni(simd))));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(simd) = level.as_neon() {
            let dot = crate::dot::NeonDot::new(simd);
            available.extend(dot.map(|b| Isa(Kind::NeonDot(b))));
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        if let Some(simd) = level.as_wasm_simd128() {
            available.push(Isa(Kind::Wasm(crate::dot::Wasm(simd))));
        }
        available
    }

    fn portable() -> Isa {
        Isa(Kind::Portable(Portable(baseline())))
    }

    /// Its name in [`Isa::VARIABLE`].
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Vnni(_) => "avx512vnni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2Vnni(_) => "avx2vnni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::NeonDot(_) => "neondot",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Wasm(_) if cfg!(target_feature = "relaxed-simd") => "relaxed-simd",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Wasm(_) => "simd128",
            Kind::Portable(_) => "portable",
        }
    }

    /// Runs `work` compiled for this instruction set.
    #[inline]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        #[inline(always)]
        fn with<B: Backend, W: Work>(backend: B, work: W) -> W::Output {
            backend.simd().vectorize(
                #[inline(always)]
                || work.run(backend),
            )
        }
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Vnni(backend) => with(backend, work),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2Vnni(backend) => with(backend, work),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(backend) => with(backend, work),
            #[cfg(target_arch = "aarch64")]
            Kind::NeonDot(backend) => with(backend, work),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Wasm(backend) => with(backend, work),
            Kind::Portable(backend) => with(backend, work),
        }
    }
}

impl std::fmt::Debug for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
