// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * The eigenvalues κ of a Gram matrix G = Q diag(κ) Qᵀ and, unless only eigenvalues were asked for,
 * its eigenvectors.
 *
 * <p>Eigenvalues are those of G itself: divide by N for the curvatures of the mean loss. They are
 * indexed in ascending order, 0 … m − 1. An eigenvalue counts as nonzero when it exceeds the
 * {@linkplain #noise() noise} m·ε·κ_max, ε the precision of the stored entries: below, it cannot be
 * told from the rounding of G.
 *
 * <p>Nothing here is believed unseen: eigenvalues and eigenvectors stand checks of O(m²) operations
 * (Σκ = tr G, Σκ² = ‖G‖²_F, G Q x = Q Λ x and QᵀQ x = x for random x, to 30·m·ε), or another
 * routine takes over and {@link #remarks()} says so.
 *
 * <p>Costs one LAPACK divide-and-conquer decomposition, about 9 m³ flops with eigenvectors and 8·m²
 * bytes. For κ_max alone of a large matrix use {@link LargestEigenpair#of(GramMatrix)}. Immutable.
 */
public final class GramSpectrum {
  private final int examples;
  private final int outputs;
  private final double[] eigenvalues;
  private final double[] vectors;
  private final double noise;
  private final int rank;
  private final List<String> remarks;

  private GramSpectrum(GramMatrix gram, SymmetricEigen.Result result) {
    examples = gram.examples();
    outputs = gram.outputs();
    eigenvalues = result.eigenvalues();
    vectors = result.vectors();
    remarks = List.copyOf(result.remarks());
    int m = eigenvalues.length;
    noise = noise(gram, Math.max(eigenvalues[m - 1], -eigenvalues[0]));
    int zeros = 0;
    while (zeros < m && eigenvalues[zeros] <= noise) {
      zeros++;
    }
    rank = m - zeros;
  }

  /**
   * Eigenvalues and eigenvectors.
   *
   * @param gram G, m ≤ 46340
   * @return the decomposition; without eigenvectors if no routine found right ones, as {@link
   *     #remarks()} says
   * @throws ArithmeticException if no routine found the eigenvalues
   */
  public static GramSpectrum of(GramMatrix gram) {
    return of(gram, true, SymmetricEigen.standard());
  }

  /**
   * Eigenvalues only, in about a third of the time.
   *
   * @param gram G, m ≤ 46340
   * @return the spectrum without eigenvectors
   * @throws ArithmeticException if no routine found the eigenvalues
   */
  public static GramSpectrum eigenvaluesOnly(GramMatrix gram) {
    return of(gram, false, SymmetricEigen.standard());
  }

  /** m·ε·largest, the level below which an eigenvalue of G is rounding. */
  static double noise(GramMatrix gram, double largest) {
    return gram.size() * gram.epsilon() * largest;
  }

  static GramSpectrum of(GramMatrix gram, boolean vectors, SymmetricEigen eigen) {
    int m = gram.size();
    if ((long) m * m > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a Gram matrix to decompose must have at most 46340 rows, got "
              + m
              + "; use fewer examples, or LargestEigenpair for the largest eigenvalue");
    }
    return new GramSpectrum(gram, eigen.decompose(gram, vectors));
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
   * The number of eigenvalues.
   *
   * @return m = N·K
   */
  public int size() {
    return eigenvalues.length;
  }

  /**
   * One eigenvalue.
   *
   * @param index 0 for the lowest … m − 1 for κ_max
   * @return κ
   */
  public double eigenvalue(int index) {
    return eigenvalues[index];
  }

  /**
   * All eigenvalues.
   *
   * @return a copy, ascending
   */
  public double[] eigenvalues() {
    return eigenvalues.clone();
  }

  /**
   * Whether there are eigenvectors.
   *
   * @return false after {@link #eigenvaluesOnly}, and where no routine found right ones
   */
  public boolean hasEigenvectors() {
    return vectors != null;
  }

  /**
   * One eigenvector.
   *
   * @param index as for {@link #eigenvalue}
   * @return m entries in example-major order, of norm 1, orthogonal to the other eigenvectors
   * @throws IllegalStateException if there are no eigenvectors
   */
  public double[] eigenvector(int index) {
    double[] vector = new double[size()];
    copyEigenvector(index, vector, 0);
    return vector;
  }

  /**
   * Copies one eigenvector.
   *
   * @param index as for {@link #eigenvalue}
   * @param target receives m entries
   * @param offset where in target they start
   * @throws IllegalStateException if there are no eigenvectors
   */
  public void copyEigenvector(int index, double[] target, int offset) {
    if (vectors == null) {
      throw new IllegalStateException(
          remarks.isEmpty()
              ? "this spectrum has eigenvalues only; use GramSpectrum.of for eigenvectors"
              : "this spectrum has eigenvalues only: " + String.join("; ", remarks));
    }
    int m = size();
    System.arraycopy(vectors, index * m, target, offset, m);
  }

  /**
   * What was wrong with the decomposition before it was right.
   *
   * @return a sentence for each fault; empty if there was none
   */
  public List<String> remarks() {
    return remarks;
  }

  /**
   * The largest eigenvalue; κ_max/N is the sharpness.
   *
   * @return κ_max, 0 for G = 0
   */
  public double largest() {
    return Math.max(0, eigenvalues[eigenvalues.length - 1]);
  }

  /**
   * The smallest eigenvalue that is nonzero in the stored precision.
   *
   * @return κ_min &gt; {@link #noise()}; empty for G = 0
   */
  public OptionalDouble smallestNonzero() {
    return rank == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(eigenvalues[eigenvalues.length - rank]);
  }

  /**
   * The level below which an eigenvalue is rounding.
   *
   * @return m·ε·max|κ|
   */
  public double noise() {
    return noise;
  }

  /**
   * The numerical rank.
   *
   * @return the number of eigenvalues above {@link #noise()}
   */
  public int rank() {
    return rank;
  }

  /**
   * Whether G has the full rank that hypothesis (H1) of the paper asks for.
   *
   * @return rank = m
   */
  public boolean isNonsingular() {
    return rank == size();
  }

  /**
   * The condition number on the range.
   *
   * @return κ_max/κ_min ≥ 1, κ_min the smallest nonzero eigenvalue; empty for G = 0
   */
  public OptionalDouble conditionNumber() {
    return rank == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(largest() / smallestNonzero().getAsDouble());
  }

  /**
   * The lowest eigenvalue, which for an exact Gram matrix is not negative.
   *
   * @return κ at index 0
   */
  public double lowest() {
    return eigenvalues[0];
  }

  /**
   * Whether G is positive semidefinite up to the rounding of its entries.
   *
   * @return {@link #lowest()} ≥ −{@link #noise()}; if false, G is not a product F·Fᵀ and the theory
   *     does not apply
   */
  public boolean isPositiveSemidefinite() {
    return eigenvalues[0] >= -noise;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "spectrum of a Gram matrix: rank %d of %d, largest eigenvalue %.6g, lowest %.3g",
        rank,
        size(),
        largest(),
        lowest());
  }
}
