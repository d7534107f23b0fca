// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.hipparchus.analysis.UnivariateFunction;
import org.hipparchus.analysis.solvers.BrentSolver;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.stability.PerronSpace.Perron;
import org.lyapunov4j.stability.PerronSpace.Problem;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

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
 * Rayleigh–Ritz iteration finds its spectral radius, Rayleigh quotients bound it from below and
 * Collatz–Wielandt quotients from above.
 *
 * <p>Cost for r eigenvalues: 5 to 15 applications of R at 2mr² flops each for the index, a few more
 * for the critical learning rate. Immutable.
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

  /**
   * Relative residual of a Perron matrix; the error of its Rayleigh quotient is of second order.
   */
  private static final double RESIDUAL = 1e-5;

  /** Residual that is enough while a root still moves by more than {@link #COARSE_CHANGE}. */
  private static final double COARSE_RESIDUAL = 1e-3;

  private static final double COARSE_CHANGE = 1e-2;

  /** Residual at an unstable batch size from which the critical one is extrapolated. */
  private static final double SIZE_RESIDUAL = 1e-2;

  /** Relative change of a root at which its error, of second order too, is negligible. */
  private static final double ROOT_CHANGE = 1e-5;

  /** Relative error of ρ − 1 that is aimed at, ρ the spectral radius of T. */
  private static final double EXPONENT_ACCURACY = 1e-10;

  private static final double COARSEST_RESIDUAL = 0.02;
  private static final int MOST_ROUNDS = 50;
  private static final long LARGEST_SIZE = 1L << 28;

  private final int examples;
  private final int rank;
  private final int count;
  private final ReducedMap map;

  private MeanSquareStability(GramSpectrum spectrum) {
    examples = spectrum.examples();
    rank = spectrum.rank();
    count = significant(spectrum);
    map = rank == 0 ? null : new ReducedMap(spectrum, Math.max(count, rank));
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
    return new MeanSquareStability(spectrum);
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
    Search search = new Search(step);
    return new MeanSquareReport(
        search.index(),
        search.exponent(),
        search.criticalLearningRate(),
        search.criticalBatchSize());
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
    Search search = new Search(step);
    return new MeanSquareReport(
        search.index(), search.exponent(), search.criticalLearningRate(), OptionalInt.empty());
  }

  /**
   * The mean-square index, index_ms.
   *
   * @param step the step
   * @return the index, ≥ 0; mean-square stable exactly if it is below 1. 0 for B = N, where the
   *     mean dynamics is all there is; +∞ if max s_kl ≥ 1, when the mean dynamics alone is unstable
   *     (the limit of the index there); 1 at learning rate 0, where nothing shrinks and nothing
   *     grows. Bounds: Rayleigh and Collatz–Wielandt
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public Enclosure index(SgdStep step) {
    return new Search(step).index();
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
    return new Search(step).exponent();
  }

  /**
   * The mean-square critical learning rate η_ms: the step is mean-square stable exactly below it.
   *
   * @param step the step; its learning rate only decides where the search starts
   * @return η_ms with bounds; 2N/κ_max for B = N without decay; +∞ for G = 0
   * @throws IllegalArgumentException with the {@linkplain #obstacle obstacle}
   */
  public Enclosure criticalLearningRate(SgdStep step) {
    return new Search(step).criticalLearningRate();
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
    return new Search(step).criticalBatchSize();
  }

  /** One step with the trial matrices that its questions share. */
  private final class Search {
    private final SgdStep step;
    private final double rate;
    private final StepMoments moments;
    private final PerronSpace space;
    private Perron known;

    Search(SgdStep step) {
      obstacle(step, examples)
          .ifPresent(
              reason -> {
                throw new IllegalArgumentException(reason);
              });
      this.step = step;
      rate = step.learningRate();
      moments = StepMoments.of(step, examples, step.batchSize());
      space = rank == 0 ? null : new PerronSpace(map);
    }

    Enclosure index() {
      return index(moments);
    }

    private Enclosure index(StepMoments moments) {
      if (rank == 0) {
        return Enclosure.exactly(0);
      }
      if (rate == 0) {
        return Enclosure.exactly(1);
      }
      if (meanExcess(moments) <= 0) {
        return Enclosure.exactly(Double.POSITIVE_INFINITY);
      }
      if (moments.c2() == 0) {
        return Enclosure.exactly(0);
      }
      known = space.solve(indexProblem(moments, rate), RESIDUAL);
      return known.radius();
    }

    /** 1 − max s_kl; the maximum is at an end of the spectrum. */
    private double meanExcess(StepMoments moments) {
      return Math.min(excess(moments, 0), excess(moments, count - 1));
    }

    private double excess(StepMoments moments, int k) {
      return moments.excess(rate, map.eigenvalue(k));
    }

    private Problem indexProblem(StepMoments moments, double rate) {
      return new Problem(moments.indexKernel(rate), count);
    }

    Enclosure criticalLearningRate() {
      if (rank == 0) {
        return Enclosure.exactly(Double.POSITIVE_INFINITY);
      }
      double guard =
          Math.min(moments.guard(map.eigenvalue(0)), moments.guard(map.eigenvalue(count - 1)));
      if (moments.c2() == 0) {
        return Enclosure.exactly(guard);
      }
      boolean proportional = moments.c1() == 0 && moments.decay() == 0;
      double first = rate > 0 ? rate : examples / map.eigenvalue(0);
      double eta = Math.min(first, 0.9 * guard);
      double residual = proportional ? RESIDUAL : COARSE_RESIDUAL;
      for (int round = 0; round < MOST_ROUNDS; round++) {
        Perron perron = space.solve(indexProblem(moments, eta), residual);
        double next = rateOfIndexOne(perron, eta, guard);
        double change = Math.abs(next - eta) / next;
        if (residual == RESIDUAL && (proportional || change <= ROOT_CHANGE)) {
          double high = perron.radius().high();
          double low = Math.min(next, eta / (proportional ? high : Math.max(1, high)));
          return new Enclosure(next, low * (1 - Perron.ROUNDING), next * (1 + Perron.ROUNDING));
        }
        residual = change < COARSE_CHANGE ? RESIDUAL : COARSE_RESIDUAL;
        eta = next;
      }
      throw new IllegalStateException("the critical learning rate did not converge: " + step);
    }

    /** index(η)/η does not fall with η, so the root lies between η and η/index(η). */
    private double rateOfIndexOne(Perron perron, double eta, double guard) {
      UnivariateFunction logIndex =
          x -> Math.log(perron.quotient(indexProblem(moments, Math.exp(x))));
      double other = Math.min(eta / perron.quotient(), guard * (1 - 1e-15));
      return Math.exp(root(logIndex, Math.log(eta), Math.log(other)));
    }

    /**
     * Rayleigh quotients prove sizes to be unstable, many at a time; the first size that they leave
     * open and that turns out stable is the answer.
     */
    OptionalInt criticalBatchSize() {
      if (!isStable(examples)) {
        return OptionalInt.empty();
      }
      int size = known == null ? 1 : firstOpen(known, 1);
      while (!isStable(size)) {
        size = firstOpen(known, size + 1);
      }
      return OptionalInt.of(size);
    }

    private boolean isStable(double size) {
      StepMoments moments = StepMoments.of(step, examples, size);
      if (rank == 0 || moments.c2() == 0 || meanExcess(moments) <= 0) {
        return index(moments).value() < 1;
      }
      known = space.compareWithOne(indexProblem(moments, rate), SIZE_RESIDUAL);
      return isBelowOne(known.quotient());
    }

    private boolean isBelowOne(double index) {
      return index * (1 + Perron.ROUNDING) < 1;
    }

    /** The first size from the given one on that is not proved unstable. */
    private int firstOpen(Perron perron, int from) {
      UnivariateFunction excess =
          b -> perron.quotient(indexProblem(StepMoments.of(step, examples, b), rate)) - 1;
      if (isBelowOne(1 + excess.value(from))) {
        return from;
      }
      return Math.max(from, (int) Math.ceil(root(excess, from, examples) - 1e-9));
    }

    double exponent() {
      if (rank == 0) {
        return Double.NEGATIVE_INFINITY;
      }
      if (rate == 0) {
        return 0;
      }
      int slowest = excess(moments, 0) < excess(moments, rank - 1) ? 0 : rank - 1;
      double excess = excess(moments, slowest);
      double gap = moments.c2() == 0 ? 0 : gap(slowest, excess);
      return Math.log1p(gap - excess);
    }

    /** ρ − max s_kl for the spectral radius ρ of T; the iteration increases towards it. */
    private double gap(int slowest, double excess) {
      double shift = map.eigenvalue(slowest);
      double[] block = map.block(slowest);
      space.add(block);
      double gap = rate * rate * moments.c2() * shift * shift * PerronSpace.dot(block, block);
      double residual = Math.max(accuracy(gap, excess), COARSE_RESIDUAL);
      for (int round = 0; round < MOST_ROUNDS; round++) {
        Perron perron = space.solve(growthProblem(shift, gap), residual);
        double next = gapOfRadiusOne(perron, shift, gap);
        double change = (next - gap) / next;
        double accuracy = accuracy(next, excess);
        if (change <= accuracy && residual <= accuracy) {
          return next;
        }
        residual = change < COARSE_CHANGE ? accuracy : Math.max(accuracy, COARSE_RESIDUAL);
        gap = next;
      }
      throw new IllegalStateException("the second moment exponent did not converge: " + step);
    }

    /**
     * In the stable phase the gap is a small correction to the excess and may be rough; its error
     * is of second order in this.
     */
    private double accuracy(double gap, double excess) {
      double relative = EXPONENT_ACCURACY * Math.abs(gap - excess) / gap;
      return Math.max(RESIDUAL, Math.min(COARSEST_RESIDUAL, Math.sqrt(relative)));
    }

    private Problem growthProblem(double shift, double gap) {
      return new Problem(moments.growthKernel(rate, shift, gap), rank);
    }

    private double gapOfRadiusOne(Perron perron, double shift, double gap) {
      UnivariateFunction logRadius =
          x -> Math.log(perron.quotient(growthProblem(shift, Math.exp(x))));
      if (perron.quotient() <= 1) {
        return gap;
      }
      double high = gap;
      while (logRadius.value(Math.log(high)) > 0) {
        high *= 16;
      }
      return Math.exp(root(logRadius, Math.log(gap), Math.log(high)));
    }
  }

  private static double root(UnivariateFunction f, double a, double b) {
    double low = Math.min(a, b);
    double high = Math.max(a, b);
    double atLow = f.value(low);
    double atHigh = f.value(high);
    if (atLow * atHigh >= 0 || high - low <= 4 * Math.ulp(high)) {
      return Math.abs(atLow) < Math.abs(atHigh) ? low : high;
    }
    return new BrentSolver(1e-14, 1e-14).solve(200, f, low, high);
  }
}
