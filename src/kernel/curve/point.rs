//! Points of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2, for any lanes: decoding (RFC 8032,
//! section 5.1.3, as ZIP-215 relaxes it) and the complete addition formulas of Hisil, Wong, Carter and
//! Dawson (2008), sections 3.1 and 4.2, for a = -1.

use super::field::{D, D2, D2_INVERSE, Element, ONE, ROOT_OF_MINUS_ONE};
use super::limbs::{LANES_MAX, LIMB_MAX, Limbs, Row};

/// A decoded point, ready to be added: y + x, y - x and 2 d x y, five limbs each, fully reduced, in the order
/// of the words; the last word is not used. Only the kernels make and read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Point([Row; 2]);

/// A sum of points in memory: y + x, y - x, z and t of extended coordinates (x = X/Z, y = Y/Z,
/// T = XY/Z), five limbs each; the last four words are not used.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Sum([Row; 3]);

impl Point {
    /// The generator (RFC 8032, section 5.1): what its encoding must decode to.
    pub(super) const GENERATOR: Self = Self([
        [
            0x4_93c6_f58c_3b85,
            0xdf71_81c3_25f7,
            0xf50b_0b3e_4cb7,
            0x5_3293_85a4_4c32,
            0x7cf9_d3a3_3d4b,
            0x3905_d740_913e,
            0xba28_17d6_73a2,
            0x2_3e28_27f4_e67c,
        ],
        [
            0x1_33d2_e0c2_1a34,
            0x4_4fd2_f929_8f81,
            0x1_1205_877a_aa68,
            0x4_7995_5893_d579,
            0x5_0d66_309b_67a0,
            0x2_d42d_0dbe_e5ee,
            0x6_f117_b689_f0c6,
            0,
        ],
    ]);
    /// The neutral element.
    pub const NEUTRAL: Self = Self([[1, 0, 0, 0, 0, 1, 0, 0], [0; 8]]);
}

impl Sum {
    /// No point, and what the formulas never leave again.
    pub(super) const ZEROS: Self = Self([[0; 8]; 3]);
    /// Of no points.
    pub const EMPTY: Self = Self([[1, 0, 0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0], [0; 8]]);
}

/// Points in the form of [`Point`].
#[derive(Clone, Copy)]
pub(super) struct Affine<L> {
    y_plus_x: Element<L>,
    y_minus_x: Element<L>,
    xy2d: Element<L>,
}

/// Points in the form of [`Sum`].
#[derive(Clone, Copy)]
pub(super) struct Extended<L> {
    y_plus_x: Element<L>,
    y_minus_x: Element<L>,
    z: Element<L>,
    t: Element<L>,
}

/// Decodes up to `N` points; bit `i` of the result is set where encoding `i` is one of a point. An
/// encoding is little-endian y, of p or more as well, with the sign of x on top; where x is 0 the sign
/// is ignored (ZIP-215).
#[inline(always)]
pub(super) fn decode<L: Limbs>(
    proof: L::Proof,
    encodings: &[[u8; 32]],
    points: &mut [Point],
) -> u32 {
    let mut rows = [[0; 8]; LANES_MAX];
    let mut signs = 0;
    let mut lane = 0;
    while lane < encodings.len() {
        let (limbs, sign) = limbs_of(&encodings[lane]);
        rows[lane] = limbs;
        signs |= sign << lane;
        lane += 1;
    }
    let [l0, l1, l2, l3, l4, ..] = L::load8(proof, &each_row(&rows));
    let y = Element([l0, l1, l2, l3, l4]);

    // x^2 = u / v; a candidate for x is u v^3 (u v^7)^((p - 5) / 8).
    let one = Element::splat(proof, ONE);
    let y2 = y.squared().carried();
    let u = y2.minus(proof, one);
    let v = y2.times(Element::splat(proof, D)).carried().plus(one);
    let v3 = v.squared().carried().times(v).carried();
    let v7 = v3.squared().carried().times(v).carried();
    let power = u.times(v7).carried().to_the_root_power();
    let x = power.times(u).carried().times(v3).carried();

    let vx2 = x.squared().carried().times(v).carried().canonical(proof);
    let is_root = vx2.equal_mask(u.canonical(proof));
    let zero = u.minus(proof, u);
    let is_other = vx2.equal_mask(zero.minus(proof, u).canonical(proof));
    let other = x.times(Element::splat(proof, ROOT_OF_MINUS_ONE)).carried();
    let x = Element::select(is_root, x, other).canonical(proof);
    // Of x and -x one is odd, unless both are 0.
    let is_even = x.0[0].even_mask(proof);
    let x = Element::select(is_even ^ signs, x, zero.minus(proof, x));

    let point = Affine {
        y_plus_x: y.plus(x).canonical(proof),
        y_minus_x: y.minus(proof, x).canonical(proof),
        xy2d: x.times(y).carried().times(Element::splat(proof, D2)).carried().canonical(proof),
    };
    point.store(proof, points);
    is_root | is_other
}

/// Every row, by reference.
#[inline(always)]
pub(super) fn each_row(rows: &[Row; LANES_MAX]) -> [&Row; LANES_MAX] {
    let mut each = [&rows[0]; LANES_MAX];
    let mut lane = 1;
    while lane < LANES_MAX {
        each[lane] = &rows[lane];
        lane += 1;
    }
    each
}

/// The limbs of y and the sign of x.
#[inline(always)]
fn limbs_of(encoding: &[u8; 32]) -> (Row, u32) {
    let words = encoding.as_chunks::<8>().0;
    let [w0, w1, w2, w3] = [
        u64::from_le_bytes(words[0]),
        u64::from_le_bytes(words[1]),
        u64::from_le_bytes(words[2]),
        u64::from_le_bytes(words[3]),
    ];
    let limbs = [
        w0 & LIMB_MAX,
        (w0 >> 51 | w1 << 13) & LIMB_MAX,
        (w1 >> 38 | w2 << 26) & LIMB_MAX,
        (w2 >> 25 | w3 << 39) & LIMB_MAX,
        w3 >> 12 & LIMB_MAX,
        0,
        0,
        0,
    ];
    (limbs, u32::from(encoding[31] >> 7))
}

impl<L: Limbs> Affine<L> {
    /// The first `N` points; where the mask has a bit, the negative of the point.
    #[inline(always)]
    pub(super) fn load(proof: L::Proof, points: &[&Point; LANES_MAX], negative: u32) -> Self {
        let mut low = [&points[0].0[0]; LANES_MAX];
        let mut high = [&points[0].0[1]; LANES_MAX];
        let mut lane = 0;
        while lane < L::N {
            low[lane] = &points[lane].0[0];
            high[lane] = &points[lane].0[1];
            lane += 1;
        }
        let [p0, p1, p2, p3, p4, m0, m1, m2] = L::load8(proof, &low);
        let [m3, m4, t0, t1, t2, t3, t4, _] = L::load8(proof, &high);
        let (plus, minus) = (Element([p0, p1, p2, p3, p4]), Element([m0, m1, m2, m3, m4]));
        let xy2d = Element([t0, t1, t2, t3, t4]);
        Self {
            y_plus_x: Element::select(negative, minus, plus),
            y_minus_x: Element::select(negative, plus, minus),
            xy2d: Element::select(negative, xy2d.negated_operand(proof), xy2d),
        }
    }

    #[inline(always)]
    fn store(self, proof: L::Proof, points: &mut [Point]) {
        let zero = L::splat(proof, 0);
        let Element([p0, p1, p2, p3, p4]) = self.y_plus_x;
        let Element([m0, m1, m2, m3, m4]) = self.y_minus_x;
        let Element([t0, t1, t2, t3, t4]) = self.xy2d;
        let (mut low, mut high) = ([[0; 8]; LANES_MAX], [[0; 8]; LANES_MAX]);
        L::store8([p0, p1, p2, p3, p4, m0, m1, m2], &mut low);
        L::store8([m3, m4, t0, t1, t2, t3, t4, zero], &mut high);
        let mut lane = 0;
        while lane < points.len() {
            points[lane] = Point([low[lane], high[lane]]);
            lane += 1;
        }
    }
}

impl<L: Limbs> Extended<L> {
    #[inline(always)]
    pub(super) fn neutral(proof: L::Proof) -> Self {
        let one = Element::splat(proof, ONE);
        let zero = Element::splat(proof, [0; 5]);
        Self { y_plus_x: one, y_minus_x: one, z: one, t: zero }
    }

    /// A sum of one point.
    #[inline(always)]
    pub(super) fn of(proof: L::Proof, point: Affine<L>) -> Self {
        Self {
            y_plus_x: point.y_plus_x,
            y_minus_x: point.y_minus_x,
            z: Element::splat(proof, ONE),
            t: point.xy2d.times(Element::splat(proof, D2_INVERSE)).carried(),
        }
    }

    /// Seven multiplications.
    #[inline(always)]
    pub(super) fn plus_affine(self, proof: L::Proof, point: Affine<L>) -> Self {
        let a = self.y_minus_x.times(point.y_minus_x);
        let b = self.y_plus_x.times(point.y_plus_x);
        let c = self.t.times(point.xy2d);
        let d = self.z.twice();
        Self::completed(proof, b.minus(proof, a), d.minus(proof, c), d.plus(c), b.plus(a))
    }

    /// Nine multiplications.
    #[inline(always)]
    pub(super) fn plus(self, proof: L::Proof, other: Self) -> Self {
        let a = self.y_minus_x.times(other.y_minus_x);
        let b = self.y_plus_x.times(other.y_plus_x);
        let t2d = self.t.times(Element::splat(proof, D2)).carried();
        let c = t2d.times(other.t);
        let d = self.z.times(other.z).carried().twice();
        Self::completed(proof, b.minus(proof, a), d.minus(proof, c), d.plus(c), b.plus(a))
    }

    /// Twice the point.
    #[inline(always)]
    pub(super) fn doubled(self, proof: L::Proof) -> Self {
        // Coordinates are up to a factor, here 2: 2x and 2y are a difference and a sum.
        let x = self.y_plus_x.minus(proof, self.y_minus_x);
        let y = self.y_plus_x.plus(self.y_minus_x);
        let z = self.z.twice().carried();
        let (a, b) = (x.squared(), y.squared());
        let c = z.squared().carried().twice().carried();
        let h = a.plus(b);
        let e = h.minus(proof, x.plus(y).squared().carried());
        let g = a.minus(proof, b);
        Self::completed(proof, e, c.plus(g), g, h)
    }

    /// X = E F, Y = G H, T = E H, Z = F G.
    #[inline(always)]
    fn completed(
        proof: L::Proof,
        e: Element<L>,
        f: Element<L>,
        g: Element<L>,
        h: Element<L>,
    ) -> Self {
        let (x, y) = (e.times(f), g.times(h));
        Self {
            y_plus_x: y.plus(x),
            y_minus_x: y.minus(proof, x),
            z: f.times(g).carried(),
            t: e.times(h).carried(),
        }
    }

    /// Whether the coordinates are some of a point: z is not 0, x y = z t, and the equation of the curve,
    /// y^2 - x^2 = z^2 + d t^2. Without it numbers that are all 0, which are no point and which the formulas
    /// keep, would pass for the neutral element.
    #[inline(always)]
    pub(super) fn sound_mask(self, proof: L::Proof) -> u32 {
        let zero = Element::splat(proof, [0; 5]);
        let z_is_zero = self.z.canonical(proof).equal_mask(zero);
        let (plus, minus) = (self.y_plus_x, self.y_minus_x);
        // 4 x y is the difference of the squares of y + x and y - x.
        let xy4 = plus.squared().minus(proof, minus.squared());
        let zt4 = self.z.twice().carried().times(self.t.twice().carried()).carried();
        let curve = plus.times(minus).carried();
        let dt2 = self.t.squared().carried().times(Element::splat(proof, D));
        let expected = self.z.squared().plus(dt2);
        !z_is_zero
            & xy4.canonical(proof).equal_mask(zt4.canonical(proof))
            & curve.canonical(proof).equal_mask(expected.canonical(proof))
    }

    /// Whether each is the neutral element: x = 0 and y = 1.
    #[inline(always)]
    pub(super) fn neutral_mask(self, proof: L::Proof) -> u32 {
        let x = self.y_plus_x.minus(proof, self.y_minus_x).canonical(proof);
        let y = self.y_plus_x.plus(self.y_minus_x).canonical(proof);
        let z = self.z.twice().carried().canonical(proof);
        x.equal_mask(Element::splat(proof, [0; 5])) & y.equal_mask(z)
    }

    #[inline(always)]
    pub(super) fn load(proof: L::Proof, sums: &[&Sum; LANES_MAX]) -> Self {
        let mut rows = [[&sums[0].0[0]; LANES_MAX]; 3];
        let mut lane = 0;
        while lane < L::N {
            rows[0][lane] = &sums[lane].0[0];
            rows[1][lane] = &sums[lane].0[1];
            rows[2][lane] = &sums[lane].0[2];
            lane += 1;
        }
        let [p0, p1, p2, p3, p4, m0, m1, m2] = L::load8(proof, &rows[0]);
        let [m3, m4, z0, z1, z2, z3, z4, t0] = L::load8(proof, &rows[1]);
        let [t1, t2, t3, t4, ..] = L::load8(proof, &rows[2]);
        Self {
            y_plus_x: Element([p0, p1, p2, p3, p4]),
            y_minus_x: Element([m0, m1, m2, m3, m4]),
            z: Element([z0, z1, z2, z3, z4]),
            t: Element([t0, t1, t2, t3, t4]),
        }
    }

    /// The first `N` sums.
    #[inline(always)]
    pub(super) fn store(self, proof: L::Proof) -> [Sum; LANES_MAX] {
        let zero = L::splat(proof, 0);
        let Element([p0, p1, p2, p3, p4]) = self.y_plus_x;
        let Element([m0, m1, m2, m3, m4]) = self.y_minus_x;
        let Element([z0, z1, z2, z3, z4]) = self.z;
        let Element([t0, t1, t2, t3, t4]) = self.t;
        let mut rows = [[[0; 8]; LANES_MAX]; 3];
        L::store8([p0, p1, p2, p3, p4, m0, m1, m2], &mut rows[0]);
        L::store8([m3, m4, z0, z1, z2, z3, z4, t0], &mut rows[1]);
        L::store8([t1, t2, t3, t4, zero, zero, zero, zero], &mut rows[2]);
        let mut sums = [Sum::EMPTY; LANES_MAX];
        let mut lane = 0;
        while lane < L::N {
            sums[lane] = Sum([rows[0][lane], rows[1][lane], rows[2][lane]]);
            lane += 1;
        }
        sums
    }
}
