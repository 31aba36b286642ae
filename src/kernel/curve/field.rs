//! Integers modulo p = 2^255 - 19 in five limbs of 51 bits, for any lanes.
//!
//! Two kinds of numbers keep the bounds. An [`Element`] has limbs below 2^51 + 2^17, so that the sum and
//! the difference of two, and twice one, fit a [`Product`] and, after a carry, an element again; and as
//! an operand of a product it is below the 2^52 that `Limbs::product` asks for. A [`Product`] has limbs
//! below 2^61 and is carried before it is multiplied: two of them can be added or subtracted first, with
//! one carry instead of three.

use super::limbs::{LIMB_MAX, Limbs};

/// d of -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032): -121665/121666.
pub(super) const D: [u64; 5] =
    [929955233495203, 466365720129213, 1662059464998953, 2033849074728123, 1442794654840575];
/// 2 d.
pub(super) const D2: [u64; 5] =
    [1859910466990425, 932731440258426, 1072319116312658, 1815898335770999, 633789495995903];
/// 1 / (2 d).
pub(super) const D2_INVERSE: [u64; 5] =
    [133296036314136, 426780519490142, 971550796200877, 1003625501967667, 1693814684165806];
/// A square root of -1: 2^((p - 1) / 4).
pub(super) const ROOT_OF_MINUS_ONE: [u64; 5] =
    [1718705420411056, 234908883556509, 2233514472574048, 2117202627021982, 765476049583133];
/// 1.
pub(super) const ONE: [u64; 5] = [1, 0, 0, 0, 0];

/// What limbs of an element stay below.
pub(super) const ELEMENT_LIMB: u64 = (1 << 51) + (1 << 17);
/// What limbs of a product stay below.
const PRODUCT_LIMB: u64 = 1 << 61;

/// Twice p: each limb at least as large as any of an element, and an operand of a product.
const TWICE_P: [u64; 5] = times_p(2);
const _: () = assert!(TWICE_P[0] >= ELEMENT_LIMB && TWICE_P[1] < 1 << 52);
/// 2^11 p: each limb at least as large as any of a product.
const MANY_P: [u64; 5] = times_p(1 << 11);
const _: () = assert!(MANY_P[0] >= PRODUCT_LIMB);
/// What is carried out of a sum of `MANY_P` and a product, and comes back times 19, leaves an element.
const _: () = assert!(LIMB_MAX + 19 * ((MANY_P[1] + PRODUCT_LIMB) >> 51) < ELEMENT_LIMB);

const fn times_p(factor: u64) -> [u64; 5] {
    let limb = factor * LIMB_MAX;
    [factor * (LIMB_MAX - 18), limb, limb, limb, limb]
}

/// A number modulo p in each lane, every limb below 2^51 + 2^17.
#[derive(Clone, Copy)]
pub(super) struct Element<L>(pub(super) [L; 5]);

/// A product, or a sum of a few elements, not carried yet: every limb below 2^61.
#[derive(Clone, Copy)]
pub(super) struct Product<L>([L; 5]);

impl<L: Limbs> Element<L> {
    /// The same number in every lane.
    #[inline(always)]
    pub(super) fn splat(proof: L::Proof, [l0, l1, l2, l3, l4]: [u64; 5]) -> Self {
        Self([
            L::splat(proof, l0),
            L::splat(proof, l1),
            L::splat(proof, l2),
            L::splat(proof, l3),
            L::splat(proof, l4),
        ])
    }

    #[inline(always)]
    pub(super) fn times(self, other: Self) -> Product<L> {
        Product(L::product(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn squared(self) -> Product<L> {
        Product(L::square(self.0))
    }

    /// Squared so many times.
    #[inline(always)]
    fn squared_times(self, times: u32) -> Self {
        let (mut element, mut left) = (self, times);
        while left > 0 {
            element = element.squared().carried();
            left -= 1;
        }
        element
    }

    /// Seen as a product.
    #[inline(always)]
    pub(super) fn as_product(self) -> Product<L> {
        Product(self.0)
    }

    /// Twice it.
    #[inline(always)]
    pub(super) fn twice(self) -> Product<L> {
        Product(add(self.0, self.0))
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Product(add(self.0, other.0)).carried()
    }

    #[inline(always)]
    pub(super) fn minus(self, proof: L::Proof, other: Self) -> Self {
        let above = Self::splat(proof, TWICE_P);
        Product(sub(add(self.0, above.0), other.0)).carried()
    }

    /// 0 minus it, as an operand of a product: its limbs are below 2^52 but not an element's.
    #[inline(always)]
    pub(super) fn negated_operand(self, proof: L::Proof) -> Self {
        Self(sub(Self::splat(proof, TWICE_P).0, self.0))
    }

    /// The one of 2^255 names for the number that is below p.
    #[inline(always)]
    pub(super) fn canonical(self, proof: L::Proof) -> Self {
        // An element is below 2 p, so it is at least p exactly if it carries out after 19 was added.
        let [l0, l1, l2, l3, l4] = self.0;
        let c = l0.add(L::splat(proof, 19)).carry();
        let c = l1.add(c).carry();
        let c = l2.add(c).carry();
        let c = l3.add(c).carry();
        let c = l4.add(c).carry();
        let l0 = l0.add19(c);
        let l1 = l1.add(l0.carry());
        let l2 = l2.add(l1.carry());
        let l3 = l3.add(l2.carry());
        let l4 = l4.add(l3.carry());
        Self([l0.rest(), l1.rest(), l2.rest(), l3.rest(), l4.rest()])
    }

    /// The lanes where both, canonical, are the same.
    #[inline(always)]
    pub(super) fn equal_mask(self, other: Self) -> u32 {
        self.0[0].equal_mask(other.0[0])
            & self.0[1].equal_mask(other.0[1])
            & self.0[2].equal_mask(other.0[2])
            & self.0[3].equal_mask(other.0[3])
            & self.0[4].equal_mask(other.0[4])
    }

    #[inline(always)]
    pub(super) fn select(mask: u32, one: Self, zero: Self) -> Self {
        Self([
            L::select(mask, one.0[0], zero.0[0]),
            L::select(mask, one.0[1], zero.0[1]),
            L::select(mask, one.0[2], zero.0[2]),
            L::select(mask, one.0[3], zero.0[3]),
            L::select(mask, one.0[4], zero.0[4]),
        ])
    }

    /// To the power of (p - 5) / 8 = 2^252 - 3. The comments give exponents.
    #[inline(always)]
    pub(super) fn to_the_root_power(self) -> Self {
        let e2 = self.squared().carried();
        let e9 = e2.squared_times(2).times(self).carried();
        let e11 = e9.times(e2).carried();
        let ones5 = e11.squared().carried().times(e9).carried(); // 2^5 - 1
        let ones10 = ones5.squared_times(5).times(ones5).carried(); // 2^10 - 1
        let ones20 = ones10.squared_times(10).times(ones10).carried();
        let ones40 = ones20.squared_times(20).times(ones20).carried();
        let ones50 = ones40.squared_times(10).times(ones10).carried();
        let ones100 = ones50.squared_times(50).times(ones50).carried();
        let ones200 = ones100.squared_times(100).times(ones100).carried();
        let ones250 = ones200.squared_times(50).times(ones50).carried();
        ones250.squared_times(2).times(self).carried()
    }
}

impl<L: Limbs> Product<L> {
    /// As an element: what is above 51 bits goes to the next limb, all at once, and out of the top limb
    /// back to the lowest, times 19.
    #[inline(always)]
    pub(super) fn carried(self) -> Element<L> {
        let [l0, l1, l2, l3, l4] = self.0;
        Element([
            l0.rest().add19(l4.carry()),
            l1.rest().add(l0.carry()),
            l2.rest().add(l1.carry()),
            l3.rest().add(l2.carry()),
            l4.rest().add(l3.carry()),
        ])
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Element<L> {
        Self(add(self.0, other.0)).carried()
    }

    #[inline(always)]
    pub(super) fn minus(self, proof: L::Proof, other: Self) -> Element<L> {
        let above = Element::splat(proof, MANY_P);
        Self(sub(add(self.0, above.0), other.0)).carried()
    }
}

#[inline(always)]
fn add<L: Limbs>(a: [L; 5], b: [L; 5]) -> [L; 5] {
    [a[0].add(b[0]), a[1].add(b[1]), a[2].add(b[2]), a[3].add(b[3]), a[4].add(b[4])]
}

#[inline(always)]
fn sub<L: Limbs>(a: [L; 5], b: [L; 5]) -> [L; 5] {
    [a[0].sub(b[0]), a[1].sub(b[1]), a[2].sub(b[2]), a[3].sub(b[3]), a[4].sub(b[4])]
}
