// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The Gram matrix G of a network at one parameter vector: m × m, m = N·K, symmetric positive
 * semidefinite, in example-major order: row i·K + k belongs to example i and output k.
 *
 * <p>Normalisation: G[(i,k),(j,l)] = ⟨∂f_ik/∂θ, ∂f_jl/∂θ⟩, weighted by the factors of the loss
 * curvature where the loss is not ½‖f − y‖²; never divided by N, K or the number of parameters. The
 * nonzero eigenvalues of G/N are those of the generalised Gauss–Newton matrix of the mean loss.
 *
 * <p>Immutable. Entries are stored as {@code double} or {@code float}; all arithmetic is in {@code
 * double}. Rows are separate arrays, so m is not limited to the square root of the largest array.
 *
 * <p>Source: Chemnitz and Engel, arXiv 2407.20209, section 2.
 */
public final class GramMatrix {
  /**
   * Largest accepted |G_ij − G_ji| relative to the largest entry; float products stay well below.
   */
  public static final double ASYMMETRY_TOLERANCE = 1e-4;

  /**
   * Columns swept at a time: 16 KiB of the target stay in the first-level cache while the rows
   * stream by.
   */
  private static final int BLOCK = 2048;

  /** The same where four rows and eight targets are to stay there. */
  private static final int SHARED_BLOCK = 512;

  /** Rows and columns of a tile that is compared with its mirror image: both fit into the cache. */
  private static final int TILE = 64;

  private static final int LEAST_EXPONENT = -1022;
  private static final int LARGEST_EXPONENT = 1022;

  /**
   * A factor of 2^±256 can be given to the coefficients of a sum of rows instead of to the entries:
   * a coefficient it makes subnormal is below 10⁻²³⁰.
   */
  private static final int MOST_SHARED = 256;

  private final GramRows rows;
  private final int examples;
  private final int outputs;
  private final double scale;
  private final double largest;
  private final double asymmetry;
  private final double epsilon;

  private GramMatrix(GramRows rows, int examples, int outputs, boolean lowerHalf) {
    this.rows = rows;
    this.examples = examples;
    this.outputs = outputs;
    scale = 1;
    requireShape();
    if (lowerHalf) {
      largest = mirror();
      asymmetry = 0;
    } else {
      Asymmetry found = symmetrise();
      largest = found.largest;
      asymmetry = found.relative();
    }
    epsilon = largest == 0 ? rows.unit() : Math.max(rows.unit(), rows.least() / largest);
  }

  /** A multiple of another matrix by a power of two, or the same entries, less accurate. */
  private GramMatrix(
      GramMatrix source, GramRows rows, double scale, double largest, double epsilon) {
    this.rows = rows;
    examples = source.examples;
    outputs = source.outputs;
    asymmetry = source.asymmetry;
    this.epsilon = epsilon;
    this.scale = scale;
    this.largest = largest;
  }

  /**
   * A Gram matrix in double precision from a copy of the given rows.
   *
   * @param rows m rows of m finite entries, symmetric within {@link #ASYMMETRY_TOLERANCE}; G and
   *     its transpose are averaged
   * @param examples N ≥ 1
   * @param outputs K ≥ 1 with N·K = m
   * @return the matrix
   * @throws IllegalArgumentException naming the rule, the value received and the remedy
   */
  public static GramMatrix of(double[][] rows, int examples, int outputs) {
    double[][] copy = new double[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      copy[i] = rows[i].clone();
    }
    return adopt(copy, examples, outputs);
  }

  /**
   * A Gram matrix in double precision that takes the given rows over; the caller must not use them
   * again.
   *
   * @param rows as for {@link #of}
   * @param examples N
   * @param outputs K
   * @return the matrix
   */
  public static GramMatrix adopt(double[][] rows, int examples, int outputs) {
    return new GramMatrix(new DoubleRows(rows), examples, outputs, false);
  }

  /**
   * A Gram matrix in single precision that takes the given rows over; the caller must not use them
   * again.
   *
   * @param rows as for {@link #of}
   * @param examples N
   * @param outputs K
   * @return the matrix
   */
  public static GramMatrix adopt(float[][] rows, int examples, int outputs) {
    return new GramMatrix(new FloatRows(rows), examples, outputs, false);
  }

  /**
   * A Gram matrix of which only the lower half was computed. It takes the rows over; entries above
   * the diagonal are ignored and replaced.
   *
   * @param rows m rows whose entries up to the diagonal are finite; the caller must not use them
   *     again
   * @param examples N
   * @param outputs K
   * @return the matrix, in the precision of the rows and of asymmetry 0
   */
  public static GramMatrix adoptLowerHalf(GramRows rows, int examples, int outputs) {
    return new GramMatrix(rows, examples, outputs, true);
  }

  /**
   * The weighted sum Σ_l c_l Θ_l: with c_l = η_l/η, the Gram matrix of a step at rate η whose
   * parameter blocks l have their own learning rates η_l; frozen blocks drop out with c_l = 0.
   *
   * @param grams Θ_l, at least one, all of one shape
   * @param weights c_l ≥ 0, as many
   * @return the sum in double precision, as accurate as the least accurate of them
   */
  public static GramMatrix weightedSum(List<GramMatrix> grams, double... weights) {
    if (grams.isEmpty() || grams.size() != weights.length) {
      throw new IllegalArgumentException(
          "a weighted sum needs one weight for each of at least one Gram matrix, got "
              + weights.length
              + " for "
              + grams.size());
    }
    GramMatrix first = grams.get(0);
    double[][] rows = new double[first.size()][first.size()];
    double epsilon = 0;
    for (int l = 0; l < weights.length; l++) {
      GramMatrix gram = grams.get(l);
      epsilon = Math.max(epsilon, gram.epsilon);
      if (gram.examples != first.examples || gram.outputs != first.outputs) {
        throw new IllegalArgumentException(
            "Gram matrices must have one shape to be added, got " + first + " and " + gram);
      }
      if (!(weights[l] >= 0 && weights[l] < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "weights must be finite and at least 0, got " + weights[l]);
      }
      for (int i = 0; i < rows.length; i++) {
        for (int j = 0; j < rows.length; j++) {
          rows[i][j] += weights[l] * gram.get(i, j);
        }
      }
    }
    return adopt(rows, first.examples, first.outputs).withEpsilon(epsilon);
  }

  /**
   * The number of examples.
   *
   * @return N
   */
  public int examples() {
    return examples;
  }

  /**
   * The number of outputs per example.
   *
   * @return K
   */
  public int outputs() {
    return outputs;
  }

  /**
   * The number of rows.
   *
   * @return m = N·K
   */
  public int size() {
    return examples * outputs;
  }

  /**
   * Whether entries are stored as {@code float}.
   *
   * @return true for single precision
   */
  public boolean isSinglePrecision() {
    return rows instanceof FloatRows;
  }

  /**
   * The asymmetry found before G and its transpose were averaged.
   *
   * @return max |G_ij − G_ji| / max |G_ij|; 0 for the zero matrix
   */
  public double asymmetry() {
    return asymmetry;
  }

  /**
   * The relative accuracy of the entries: eigenvalues below some m·ε·κ_max cannot be told from 0.
   *
   * @return that of the type they are stored in, 2⁻⁵² or 2⁻²³, unless another was {@linkplain
   *     #withEpsilon stated}; more where even the largest entry is subnormal
   */
  public double epsilon() {
    return epsilon;
  }

  /**
   * The order of magnitude of the entries.
   *
   * @return k with 2ᵏ ≤ max |G_ij| &lt; 2ᵏ⁺¹, from {@value #LEAST_EXPONENT} up to {@value
   *     #LARGEST_EXPONENT}, whose powers of two are normal numbers; 0 for G = 0
   */
  public int exponent() {
    int exponent = Math.getExponent(largest);
    return largest == 0 ? 0 : Math.max(LEAST_EXPONENT, Math.min(LARGEST_EXPONENT, exponent));
  }

  /**
   * 2⁻ᵏ·G with k the {@link #exponent()}: with a largest entry near 1 no product overflows. Exact.
   * A {@linkplain org.lyapunov4j.step.SgdStep#scaled step scaled} by k does to it what the step
   * does to G. It shares the entries; only of a matrix in double precision with |k| &gt; {@value
   * #MOST_SHARED} it is a copy.
   *
   * @return the multiple
   */
  public GramMatrix normalised() {
    return scaled(-exponent());
  }

  /**
   * 2ᵏ·G, exact where nothing under- or overflows. It shares the entries as {@link #normalised}.
   *
   * @param exponent k
   * @return the multiple
   */
  GramMatrix scaled(int exponent) {
    double factor = Math.scalb(1.0, exponent);
    if (exponent == 0) {
      return this;
    }
    if (isSinglePrecision() || Math.abs(exponent) <= MOST_SHARED) {
      return new GramMatrix(this, rows, scale * factor, largest * factor, epsilon);
    }
    double[][] multiples = toArray();
    for (double[] row : multiples) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= factor;
      }
    }
    return new GramMatrix(this, new DoubleRows(multiples), 1, largest * factor, epsilon);
  }

  /**
   * This matrix with the accuracy of a computation that was coarser than the type its entries are
   * stored in, such as a sum in double precision of products of floats.
   *
   * @param epsilon relative accuracy of the entries, above 0, at most 1; without effect where it is
   *     finer than {@link #epsilon()}, which may be that of subnormal numbers
   * @return a matrix that shares the entries
   */
  public GramMatrix withEpsilon(double epsilon) {
    if (!(epsilon > 0 && epsilon <= 1)) {
      throw new IllegalArgumentException(
          "the accuracy of the entries must be above 0 and at most 1, got " + epsilon);
    }
    return epsilon <= this.epsilon ? this : new GramMatrix(this, rows, scale, largest, epsilon);
  }

  /**
   * An entry.
   *
   * @param row 0 … m − 1
   * @param column 0 … m − 1
   * @return G[row, column]
   */
  public double get(int row, int column) {
    return scale * rows.get(row, column);
  }

  /**
   * The trace.
   *
   * @return Σ G_ii
   */
  public double trace() {
    double sum = 0;
    for (int i = 0; i < size(); i++) {
      sum += get(i, i);
    }
    return sum;
  }

  /**
   * Copies one row, by symmetry also one column.
   *
   * @param row 0 … m − 1
   * @param target receives the m entries
   */
  public void copyRow(int row, double[] target) {
    rows.copyRow(row, scale, target);
  }

  /**
   * All entries.
   *
   * @return m new rows
   */
  public double[][] toArray() {
    double[][] entries = new double[size()][size()];
    for (int i = 0; i < entries.length; i++) {
      copyRow(i, entries[i]);
    }
    return entries;
  }

  /**
   * The Gram matrix of a subset of the examples.
   *
   * @param chosen distinct example indices, at least one
   * @return the principal submatrix, in the order given and in this matrix's precision and accuracy
   */
  public GramMatrix subset(int... chosen) {
    int[] which = new int[chosen.length * outputs];
    for (int i = 0; i < which.length; i++) {
      which[i] = chosen[i / outputs] * outputs + i % outputs;
    }
    return new GramMatrix(rows.select(which), chosen.length, outputs, false).like(this);
  }

  /** In the units and with the accuracy of the matrix that the entries come from. */
  private GramMatrix like(GramMatrix source) {
    return new GramMatrix(
        this, rows, source.scale, largest * source.scale, Math.max(epsilon, source.epsilon));
  }

  /**
   * Adds a combination of columns: target ← target + Σ_j c_j G[:, rows_j]. Costs 2·m·count flops
   * and reads count rows; this is the kernel every exponent spends its time in.
   *
   * @param which row indices, repetitions allowed; not modified
   * @param coefficients c_j; not modified
   * @param count how many leading entries of both arrays count
   * @param target length m; modified
   */
  public void addColumns(int[] which, double[] coefficients, int count, double[] target) {
    int m = size();
    for (int from = 0; from < m; from += BLOCK) {
      int to = Math.min(m, from + BLOCK);
      int k = 0;
      for (; k + 4 <= count; k += 4) {
        rows.addFourTo(target, from, to, which, coefficients, k, scale);
      }
      for (; k < count; k++) {
        rows.addTo(target, from, to, which[k], scale * coefficients[k]);
      }
    }
  }

  /**
   * Adds combinations of the same columns to several targets, bit for bit as {@link
   * #addColumns(int[], double[], int, double[])} does one by one, but reads the columns once.
   *
   * @param which row indices, repetitions allowed; not modified
   * @param coefficients those of each target; not modified
   * @param count how many leading entries of all these arrays count
   * @param targets of length m each; modified
   */
  public void addColumns(int[] which, double[][] coefficients, int count, double[][] targets) {
    int m = size();
    for (int from = 0; from < m; from += SHARED_BLOCK) {
      int to = Math.min(m, from + SHARED_BLOCK);
      int k = 0;
      for (; k + 4 <= count; k += 4) {
        for (int t = 0; t < targets.length; t++) {
          rows.addFourTo(targets[t], from, to, which, coefficients[t], k, scale);
        }
      }
      for (; k < count; k++) {
        for (int t = 0; t < targets.length; t++) {
          rows.addTo(targets[t], from, to, which[k], scale * coefficients[t][k]);
        }
      }
    }
  }

  /**
   * The product y = G x.
   *
   * @param x length m; not modified
   * @param y length m, another array than x; overwritten
   */
  public void multiply(double[] x, double[] y) {
    Arrays.fill(y, 0);
    addColumns(all(), x, size(), y);
  }

  /**
   * The products y_j = G x_j, each bit for bit the one that it would be alone, with one pass over
   * the matrix.
   *
   * @param x vectors of length m; not modified
   * @param y as many others; overwritten
   */
  public void multiply(double[][] x, double[][] y) {
    for (double[] product : y) {
      Arrays.fill(product, 0);
    }
    addColumns(all(), x, size(), y);
  }

  private int[] all() {
    int[] all = new int[size()];
    Arrays.setAll(all, i -> i);
    return all;
  }

  private void requireShape() {
    int found = rows.size();
    if (examples < 1 || outputs < 1) {
      throw new IllegalArgumentException(
          "examples and outputs must be at least 1, got " + examples + " and " + outputs);
    }
    if ((long) examples * outputs != found) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "rows must equal examples × outputs, got %d rows for %d × %d; give the number of outputs that divides the rows",
              found,
              examples,
              outputs));
    }
    for (int i = 0; i < found; i++) {
      int length = rows.length(i);
      if (length != found) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "a Gram matrix must be square, got row %d of length %d among %d rows",
                i,
                length,
                found));
      }
    }
  }

  /** Copies the lower half into the upper one, tile by tile; returns the largest magnitude. */
  private double mirror() {
    int tiles = (size() + TILE - 1) / TILE;
    double found =
        IntStream.range(0, tiles)
            .parallel()
            .mapToDouble(band -> mirrorBand(band * TILE))
            .reduce(0, Math::max);
    if (!(found < Double.POSITIVE_INFINITY)) {
      symmetrise(); // names the entry
    }
    requireNonnegativeDiagonal(found);
    return found;
  }

  /** The largest magnitude, or NaN if there is one. */
  private double mirrorBand(int from) {
    int to = Math.min(size(), from + TILE);
    double largest = 0;
    for (int columns = 0; columns < to; columns += TILE) {
      for (int i = from; i < to; i++) {
        int end = Math.min(i + 1, columns + TILE);
        largest = Math.max(largest, rows.mirror(i, columns, end));
      }
    }
    return largest;
  }

  private Asymmetry symmetrise() {
    Asymmetry found = new Asymmetry();
    int m = size();
    for (int top = 0; top < m; top += TILE) {
      for (int columns = 0; columns <= top; columns += TILE) {
        symmetriseTile(top, columns, found);
      }
    }
    if (found.relative() > ASYMMETRY_TOLERANCE) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a Gram matrix must be symmetric, got entries (%d, %d) and (%d, %d) that differ by"
                  + " %.3g, %.3g of the largest entry; average it with its transpose if that is"
                  + " rounding",
              found.row,
              found.column,
              found.column,
              found.row,
              found.gap,
              found.relative()));
    }
    requireNonnegativeDiagonal(found.largest);
    return found;
  }

  private static final class Asymmetry {
    private double largest;
    private double gap;
    private int row;
    private int column;

    double relative() {
      return largest == 0 ? 0 : gap / largest;
    }
  }

  private void symmetriseTile(int top, int columns, Asymmetry found) {
    for (int i = top; i < Math.min(size(), top + TILE); i++) {
      for (int j = columns; j <= Math.min(i, columns + TILE - 1); j++) {
        double lower = requireFinite(i, j);
        double upper = requireFinite(j, i);
        found.largest = Math.max(found.largest, Math.max(Math.abs(lower), Math.abs(upper)));
        if (Math.abs(lower - upper) > found.gap) {
          found.gap = Math.abs(lower - upper);
          found.row = i;
          found.column = j;
        }
        if (lower != upper) {
          rows.average(i, j);
        }
      }
    }
  }

  private double requireFinite(int row, int column) {
    double value = get(row, column);
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a Gram matrix must be finite, got %s at (%d, %d); check the network's parameters and inputs: training may have diverged",
              value,
              row,
              column));
    }
    return value;
  }

  private void requireNonnegativeDiagonal(double largest) {
    for (int i = 0; i < size(); i++) {
      if (get(i, i) < -ASYMMETRY_TOLERANCE * largest) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "a Gram matrix must have a nonnegative diagonal, got %.6g at row %d; it must be a product F·Fᵀ",
                get(i, i),
                i));
      }
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "Gram matrix of %d examples × %d outputs (%s)",
        examples,
        outputs,
        isSinglePrecision() ? "float" : "double");
  }
}
