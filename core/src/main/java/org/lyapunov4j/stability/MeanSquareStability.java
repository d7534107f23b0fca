// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Mean-square stability of SGD at a Gram matrix, without sampling: whether E‖M_{S_n}⋯M_{S_1}w‖²
 * tends to 0 on range(G).
 *
 * <p>The second moment T(X) = E[M X Mᵀ] has a closed form for independent batches. In the
 * eigenbasis of G, T(X) = X reads (1 − s_kl) X_kl = (source)_kl with
 *
 * <pre>
 *   s_kl = d² − d(η/N)(κ_k + κ_l) + c₁ κ_k κ_l
 * </pre>
 *
 * and a source that depends on X only through block-diagonal matrices D (N blocks K × K). So T has
 * spectral radius below 1 exactly when max s_kl &lt; 1 and the <b>index</b>, the spectral radius of
 *
 * <pre>
 *   R(D) = bd(Q [κ ∘ (QᵀDQ)] Qᵀ),   κ_kl = c₂ κ_k κ_l/(1 − s_kl),
 * </pre>
 *
 * is below 1. d = 1 − η(l2 + weightDecay); for uniform B-subsets c₁ = η²(B−1)/(BN(N−1)), c₂ =
 * η²(N−B)/(BN(N−1)); for draws with replacement c₁ = η²(B−1)/(BN²), c₂ = η²/(BN).
 *
 * <p>The index is well conditioned where the spectral radius of T is not: directions of small
 * eigenvalue hardly contribute. It grows with the learning rate, and falls with the batch size
 * where full-batch gradient descent is stable; its distance from 1 is a margin, unlike the
 * exponents, which below the edge only show the slowest mode. R is self-adjoint and positive: a
 * Rayleigh–Ritz iteration finds its spectral radius, and Rayleigh quotients bound it from below.
 *
 * <p>Up to 128 rows the iteration goes on to rounding, and Collatz–Wielandt quotients bound it from
 * above, or where they are loose Kato and Temple do. Beyond, a map in which small eigenvalues stand
 * in closed form finds the Perron matrix for little; one or two products with R itself, in single
 * precision, then give index and critical learning rate with a relative width of at most 1e-3 (3e-3
 * for B = 1), the upper bound by Kato and Temple from a second Ritz value, whose distance to the
 * first is halved for safety; and Λ(2) to 1e-3 of its value, below the edge to 1e-2, its sign that
 * of index − 1.
 *
 * <p>Cost beyond 128 rows: about one eigendecomposition, two close to the edge; four of one of 300
 * rows. Immutable.
 *
 * <p>Sources: L. Wu, C. Ma, W. E, NeurIPS 2018; R. Mulayoff, T. Michaeli, COLT 2024 (the same
 * threshold as a mixture of full-batch and single-example steps); Chemnitz and Engel, arXiv
 * 2407.20209, appendix A.2 (the moment exponent Λ(2)).
 */
public final class MeanSquareStability {
  /**
   * Eigenvalues below this share of the mean diagonal change the index by less than 2e-11 of it.
   */
  private static final double NEGLIGIBLE = 1e-11;

  private static final long LARGEST_SIZE = 1L << 28;

  /** The largest m at which a product costs so little that pairs are iterated to rounding. */
  private static final int LARGEST_EXACT = 128;

  private final int examples;
  private final int rank;
  private final int count;
  private final EigenBasis basis;
  private final ReducedMap map;
  private final List<TruncatedMap> truncated;

  private MeanSquareStability(GramSpectrum spectrum, int largestExact) {
    examples = spectrum.examples();
    rank = spectrum.rank();
    count = significant(spectrum);
    basis =
        rank == 0
            ? null
            : new EigenBasis(
                spectrum,
                Math.max(count, rank),
                spectrum.size() <= largestExact ? DataType.DOUBLE : DataType.FLOAT);
    map = rank == 0 ? null : new ReducedMap(basis);
    truncated = rank == 0 || spectrum.size() <= largestExact ? List.of() : truncated(basis);
  }

  /** Sizes at which the map itself needs one product, two at most, on tangent kernels. */
  private static List<TruncatedMap> truncated(EigenBasis basis) {
    int m = basis.size();
    int head = Math.max(64, Math.min(200, m / 16));
    TruncatedMap coarse = new TruncatedMap(basis, head, head);
    int fine = Math.max(100, Math.min(400, m / 5));
    return List.of(coarse, new TruncatedMap(basis, fine, Math.min(1000, m / 4), coarse));
  }

  /**
   * Prepares the analysis.
   *
   * @param spectrum of G, with eigenvectors
   * @return the analysis
   * @throws IllegalArgumentException if the spectrum has no eigenvectors, G is indefinite beyond
   *     rounding, or m &gt; 16384
   */
  public static MeanSquareStability of(GramSpectrum spectrum) {
    if (!spectrum.hasEigenvectors()) {
      throw new IllegalArgumentException(
          "mean-square stability needs eigenvectors, got eigenvalues only; use GramSpectrum.of");
    }
    if (!spectrum.isPositiveSemidefinite()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a Gram matrix must be positive semidefinite, got eigenvalue %.6g beside %.6g; it must"
                  + " be a product F·Fᵀ",
              spectrum.lowest(),
              spectrum.largest()));
    }
    int m = spectrum.size();
    if ((long) m * m > LARGEST_SIZE) {
      throw new IllegalArgumentException(
          "mean-square stability needs at most 16384 rows, got " + m + "; use fewer examples");
    }
    return new MeanSquareStability(spectrum, LARGEST_EXACT);
  }

  /** The analysis with bounded pairs above another size, for tests. */
  static MeanSquareStability of(GramSpectrum spectrum, int largestExact) {
    return new MeanSquareStability(spectrum, largestExact);
  }

  private static int significant(GramSpectrum spectrum) {
    int m = spectrum.size();
    double trace = 0;
    for (int i = 0; i < m; i++) {
      trace += spectrum.eigenvalue(i);
    }
    double least = Math.max(NEGLIGIBLE * trace / m, m * Math.ulp(1.0) * spectrum.largest());
    int count = 0;
    while (count < m && spectrum.eigenvalue(m - 1 - count) > least) {
      count++;
    }
    return count;
  }

  /**
   * Why the second moment of a step is not available in closed form.
   *
   * @param step the step
   * @param examples N
   * @return a sentence, empty if it is available
   */
  public static Optional<String> obstacle(SgdStep step, int examples) {
    if (!(step.momentum() instanceof Momentum.None)) {
      return Optional.of("mean-square stability has no closed form here for " + step.momentum());
    }
    if (step.batchSize() > step.sampling().largestBatch(examples)) {
      return Optional.of(
          "unless drawn with replacement, batch size must be at most the number of examples "
              + examples
              + ", got "
              + step.batchSize());
    }
    if (!step.sampling().isIndependent() && !step.isFullBatch(examples)) {
      return Optional.of(
          "mean-square stability has no closed form for batches that depend on each other ("
              + step.sampling()
              + ")");
    }
    return Optional.empty();
  }

  /**
   * Everything about a step, in less time than its parts one by one.
   *
   * @param step the step
   * @return the report
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public MeanSquareReport analyze(SgdStep step) {
    return report(step, true);
  }

  /**
   * Index, exponent and critical learning rate of a step; the critical batch size, which costs as
   * much as the three, is left empty.
   *
   * @param step the step
   * @return the report
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public MeanSquareReport analyzeAtBatchSize(SgdStep step) {
    return report(step, false);
  }

  private MeanSquareReport report(SgdStep step, boolean withBatchSize) {
    require(step);
    if (rank == 0) {
      return new MeanSquareReport(
          Enclosure.exactly(0),
          Double.NEGATIVE_INFINITY,
          Enclosure.exactly(Double.POSITIVE_INFINITY),
          withBatchSize ? OptionalInt.of(1) : OptionalInt.empty());
    }
    MeanSquareSearch search = search(step);
    Enclosure edge = search.criticalLearningRate();
    Enclosure index = search.index();
    return new MeanSquareReport(
        index,
        search.exponent(),
        edge,
        withBatchSize ? search.criticalBatchSize() : OptionalInt.empty());
  }

  /**
   * The mean-square index, index_ms.
   *
   * @param step the step
   * @return the index, ≥ 0; mean-square stable exactly if it is below 1. 0 for B = N, where the
   *     mean dynamics is all there is; +∞ if max s_kl ≥ 1, when the mean dynamics alone is unstable
   *     (the limit of the index there); 1 at learning rate 0, where nothing shrinks and nothing
   *     grows
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public Enclosure index(SgdStep step) {
    require(step);
    return rank == 0 ? Enclosure.exactly(0) : search(step).index();
  }

  /**
   * The second moment exponent Λ(2) = lim (1/n) log E‖M_{S_n}⋯M_{S_1}‖² on the numerical range of
   * G, in nats per step: the log of the spectral radius of T. Twice the GD exponent if B = N.
   *
   * @param step the step
   * @return Λ(2); −∞ if the second moment is annihilated, or G = 0
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public double exponent(SgdStep step) {
    require(step);
    return rank == 0 ? Double.NEGATIVE_INFINITY : search(step).exponent();
  }

  /**
   * The mean-square critical learning rate η_ms: the step is mean-square stable exactly below it.
   *
   * @param step the step; its learning rate only decides where the search starts
   * @return η_ms with bounds; 2N/κ_max for B = N without decay; +∞ for G = 0
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public Enclosure criticalLearningRate(SgdStep step) {
    require(step);
    return rank == 0
        ? Enclosure.exactly(Double.POSITIVE_INFINITY)
        : search(step).criticalLearningRate();
  }

  /**
   * The smallest batch size that is mean-square stable at the learning rate of the step.
   *
   * @param step the step; its batch size does not matter
   * @return B between 1 and N; empty if none is (without replacement that means that full-batch
   *     gradient descent is unstable)
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public OptionalInt criticalBatchSize(SgdStep step) {
    require(step);
    return rank == 0 ? OptionalInt.of(1) : search(step).criticalBatchSize();
  }

  MeanSquareSearch search(SgdStep step) {
    return new MeanSquareSearch(
        step, basis, map, new PerronLadder(map, truncated, start()), count, rank);
  }

  /**
   * A positive matrix: bd(G), which lies nearer to the Perron matrix than to that of a slow mode,
   * or where it would cost too much the identity.
   */
  private double[] start() {
    if (truncated.isEmpty()) {
      double[] g = new double[basis.count()];
      for (int k = 0; k < g.length; k++) {
        g[k] = basis.eigenvalue(k);
      }
      return basis.blocks(g, 0, g.length);
    }
    double[] identity = new double[basis.dimension()];
    for (int i = 0; i < basis.size(); i++) {
      identity[i * basis.outputs() + i % basis.outputs()] = 1;
    }
    return identity;
  }

  private void require(SgdStep step) {
    obstacle(step, examples)
        .ifPresent(
            reason -> {
              throw new IllegalArgumentException(reason);
            });
  }
}
