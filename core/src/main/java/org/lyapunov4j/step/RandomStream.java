// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

/**
 * A splittable stream of pseudo-random numbers (SplitMix64), the only source of randomness in this
 * library.
 *
 * <p>The stream of a seed is fixed for ever: it uses integer arithmetic and {@link StrictMath}
 * only, so it is the same on every machine and Java version. {@link #split(long)} derives
 * independent streams by key, not by order of use; that is what makes results independent of the
 * number of threads.
 *
 * <p>Source: G. L. Steele, D. Lea, C. H. Flood, <i>Fast splittable pseudorandom number
 * generators</i>, OOPSLA 2014; bounded integers after D. Lemire, <i>Fast random integer generation
 * in an interval</i>, 2019. Not thread-safe; give each thread its own.
 */
public final class RandomStream {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final double DOUBLE_UNIT = 0x1.0p-53;

  private final long key;
  private long state;
  private double spareGaussian = Double.NaN;

  /**
   * A stream.
   *
   * @param seed any value; equal seeds give equal streams
   */
  public RandomStream(long seed) {
    key = mix(seed + GOLDEN_GAMMA);
    state = key;
  }

  /**
   * An independent stream, a function of this stream's seed and of {@code index} alone (not of what
   * was drawn so far).
   *
   * @param index which of the 2<sup>64</sup> children
   * @return the child stream
   */
  public RandomStream split(long index) {
    return new RandomStream(key ^ mix(index * 0xD1342543DE82EF95L + 0x632BE59BD9B4E019L));
  }

  /**
   * The next 64 bits.
   *
   * @return a uniform long
   */
  public long nextLong() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /**
   * A uniform integer.
   *
   * @param bound exclusive upper bound, at least 1
   * @return uniform on 0 … bound − 1, without bias
   */
  public int nextInt(int bound) {
    if (bound < 1) {
      throw new IllegalArgumentException("bound must be at least 1, got " + bound);
    }
    long product = (nextLong() >>> 32) * bound;
    long low = product & 0xFFFFFFFFL;
    if (low < bound) {
      long threshold = (1L << 32) % bound;
      while (low < threshold) {
        product = (nextLong() >>> 32) * bound;
        low = product & 0xFFFFFFFFL;
      }
    }
    return (int) (product >>> 32);
  }

  /**
   * A uniform number.
   *
   * @return uniform on [0, 1), a multiple of 2<sup>−53</sup>
   */
  public double nextDouble() {
    return (nextLong() >>> 11) * DOUBLE_UNIT;
  }

  /**
   * A standard normal number (Marsaglia's polar method).
   *
   * @return distributed as N(0, 1)
   */
  public double nextGaussian() {
    if (!Double.isNaN(spareGaussian)) {
      double spare = spareGaussian;
      spareGaussian = Double.NaN;
      return spare;
    }
    double u;
    double v;
    double s;
    do {
      u = 2 * nextDouble() - 1;
      v = 2 * nextDouble() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s == 0);
    double scale = StrictMath.sqrt(-2 * StrictMath.log(s) / s);
    spareGaussian = v * scale;
    return u * scale;
  }

  /**
   * Standard normal numbers.
   *
   * @param count how many
   * @return the next {@code count} values of {@link #nextGaussian()}
   */
  public double[] gaussians(int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = nextGaussian();
    }
    return values;
  }

  private static long mix(long z) {
    long y = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    y = (y ^ (y >>> 27)) * 0x94D049BB133111EBL;
    return y ^ (y >>> 31);
  }
}
