// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import org.lyapunov4j.stability.PerronSpace.Perron;
import org.lyapunov4j.stability.PerronSpace.Problem;

/**
 * The Perron pairs of one step's kernels: truncated maps find D for little, the map itself, started
 * there, needs a product or two. Each level keeps its trial matrices for the kernels to come.
 *
 * <p>Without truncated maps the pairs are exact to rounding and bounded from above by {@link
 * PencilBound}, or where that is wider than 1e-4 by Kato and Temple; with them they are bounded to
 * a width that is asked for by Kato and Temple alone: for a self-adjoint map with top eigenvalue ρ
 * and a second one of at most λ₂ &lt; q,
 *
 * <pre>
 *   q ≤ ρ ≤ q + ‖R(D) − qD‖²/(q − λ₂),   q = ⟨D, R(D)⟩, ‖D‖ = 1.
 * </pre>
 *
 * <p>λ₂ is the second Ritz value of at least 16 trial matrices, its distance to the first one
 * halved: an estimate from below made safe by a factor, not a theorem. With eight trial matrices a
 * kernel with λ₂ = 0.9986 ρ passed for one with 0.95 ρ. Collatz–Wielandt quotients, which would be
 * a theorem, converge last in the weak directions of each block; with several outputs they are of
 * little use.
 */
final class PerronLadder {
  /** Relative residual of exact pairs; the error of the Rayleigh quotient is of second order. */
  static final double RESIDUAL = 1e-5;

  /** Relative residual of truncated pairs, about what truncation itself costs. */
  private static final double TRUNCATED_RESIDUAL = 4e-3;

  private static final double GAP_SAFETY = 0.5;

  /** Relative width that needs no improvement. */
  private static final double ENOUGH = 1e-4;

  private final ReducedMap map;
  private final double[] start;
  private final List<TruncatedMap> truncated;
  private final PerronSpace[] spaces;
  private double[] best;

  /** The largest λ₂/ρ of the kernels solved so far; 0 if it is not known. */
  private double secondRatio;

  PerronLadder(ReducedMap map, List<TruncatedMap> truncated, double[] start) {
    this.map = map;
    this.truncated = truncated;
    this.start = start;
    spaces = new PerronSpace[truncated.size() + 1];
  }

  /** The number of levels; the last one is the map itself. */
  int levels() {
    return spaces.length;
  }

  /** Whether pairs are as accurate as rounding allows. */
  boolean isExact() {
    return truncated.isEmpty();
  }

  /** The pair on one level, to the accuracy that level is good for. */
  Perron solve(int level, Problem problem, double widthGoal) {
    if (level < last()) {
      return roughly(level, problem, TRUNCATED_RESIDUAL);
    }
    return remember(
        isExact()
            ? exactly(problem)
            : space(level)
                .solve(problem, (q, residual) -> width(q, residual, secondRatio) <= widthGoal));
  }

  /** The pair to rounding, from a space that knows a second eigenvalue. */
  Perron exactly(Problem problem) {
    PerronSpace space = space();
    return space.solve(
        problem, (q, residual) -> residual <= RESIDUAL * q && space.knowsSecondEigenvalue());
  }

  /** The pair of a truncated map. The coarsest space grows until it knows a second eigenvalue. */
  Perron roughly(int level, Problem problem, double tolerance) {
    PerronSpace space = space(level);
    Perron perron =
        space.solve(
            problem,
            (q, residual) ->
                residual <= tolerance * q && (level > 0 || space.knowsSecondEigenvalue()));
    secondRatio = Math.max(secondRatio, perron.secondRatio());
    return remember(perron);
  }

  /** The pair of the map itself. */
  Perron solve(Problem problem, double widthGoal) {
    Perron perron = null;
    for (int level = 0; level < levels(); level++) {
      perron = solve(level, problem, widthGoal);
    }
    return perron;
  }

  /** Bounds of the spectral radius from a pair of the map itself. */
  Enclosure radius(Perron perron) {
    double quotient = perron.quotient();
    double high =
        isExact()
            ? exactHigh(perron)
            : quotient * (1 + width(quotient, perron.residual(), secondRatio));
    return new Enclosure(quotient, quotient * (1 - rounding()), high * (1 + rounding()));
  }

  /** The theorem where it says enough. */
  private double exactHigh(Perron perron) {
    double quotient = perron.quotient();
    double high = Math.max(quotient, pencilBound(perron));
    return high <= quotient * (1 + ENOUGH) || perron.secondRatio() == 0
        ? high
        : Math.min(high, quotient * (1 + width(quotient, perron.residual(), perron.secondRatio())));
  }

  /** Relative, of what the map itself says. */
  double rounding() {
    return map.isSingle() ? 32 * 0x1p-24 : Perron.ROUNDING;
  }

  private double pencilBound(Perron perron) {
    Problem problem = perron.problem();
    return new PencilBound(
            perron.matrix(),
            perron.image(),
            map.imageOfIdentity(problem.kernel(), problem.count()),
            map.outputs())
        .best();
  }

  /** The space of the map itself. */
  PerronSpace space() {
    return space(last());
  }

  /** Keeps what a pair found for the levels above. */
  Perron remember(Perron perron) {
    best = perron.matrix();
    return perron;
  }

  private int last() {
    return spaces.length - 1;
  }

  private PerronSpace space(int level) {
    double[] trial = best == null ? start : best;
    if (spaces[level] == null) {
      spaces[level] = new PerronSpace(level == last() ? map : truncated.get(level), trial);
    } else if (best != null) {
      spaces[level].add(trial);
    }
    return spaces[level];
  }

  /** (ρ − q)/q at most; a residual alone says that an eigenvalue is that near. */
  private static double width(double quotient, double residual, double secondRatio) {
    double relative = residual / quotient;
    double gap = secondRatio == 0 ? 0 : GAP_SAFETY * (1 - secondRatio);
    return gap > 0 ? Math.min(relative, relative * relative / gap) : relative;
  }
}
