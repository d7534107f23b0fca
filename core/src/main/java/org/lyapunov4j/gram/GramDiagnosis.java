// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.lyapunov4j.step.SgdStep;

/**
 * How well a Gram matrix is conditioned, and how far it is from the hypotheses of the theory: (H1),
 * G nonsingular, and a regular minimum (Definition 2.2), where every step is invertible, none of a
 * single example is a reflection or the identity, and G is irreducible.
 *
 * @param rank the number of eigenvalues above the rounding of G
 * @param size m = N·K
 * @param largest κ_max
 * @param smallestNonzero κ_min, the smallest eigenvalue above rounding; absent for G = 0
 * @param conditionNumber κ_max/κ_min; absent for G = 0
 * @param asymmetry of the matrix as it was given
 * @param isPositiveSemidefinite whether negative eigenvalues are no more than rounding
 * @param components the number of groups of examples between which G vanishes; irreducible means 1
 * @param duplicates pairs of examples with the same gradients up to rounding, at most {@value
 *     #MOST_DUPLICATES}
 * @param singularityMargin B = 1: the smallest |1 − ηκ| over the eigenvalues κ of all G_ii, 0 if a
 *     step is not invertible; absent for B &gt; 1, whose blocks are too many to visit
 * @param reflectionMargin B = 1: the smallest ||1 − ηκ| − 1|, 0 if a step preserves the length of a
 *     direction; absent for B &gt; 1
 */
public record GramDiagnosis(
    int rank,
    int size,
    double largest,
    OptionalDouble smallestNonzero,
    OptionalDouble conditionNumber,
    double asymmetry,
    boolean isPositiveSemidefinite,
    int components,
    List<Pair> duplicates,
    OptionalDouble singularityMargin,
    OptionalDouble reflectionMargin) {
  /** How many duplicate pairs are listed at most. */
  public static final int MOST_DUPLICATES = 100;

  private static final double NEARLY_ZERO = 1e-6;

  /** {@inheritDoc} */
  public GramDiagnosis {
    duplicates = List.copyOf(duplicates);
  }

  /**
   * Two examples.
   *
   * @param first the lower index
   * @param second the higher index
   */
  public record Pair(int first, int second) {}

  /**
   * Diagnoses a matrix.
   *
   * @param gram G
   * @param spectrum its eigenvalues
   * @param step the step, for the margins
   * @return the diagnosis
   */
  public static GramDiagnosis of(GramMatrix gram, GramSpectrum spectrum, SgdStep step) {
    Margins margins = Margins.of(gram, step);
    Examples examples = new Examples(gram);
    return new GramDiagnosis(
        spectrum.rank(),
        gram.size(),
        spectrum.largest(),
        spectrum.smallestNonzero(),
        spectrum.conditionNumber(),
        gram.asymmetry(),
        spectrum.isPositiveSemidefinite(),
        examples.components(),
        examples.duplicates(),
        margins.singularity,
        margins.reflection);
  }

  /**
   * Whether hypothesis (H1) holds in the stored precision.
   *
   * @return rank = m
   */
  public boolean isNonsingular() {
    return rank == size;
  }

  /**
   * What a user should know, a sentence each.
   *
   * @return the findings; empty if nothing is remarkable
   */
  public List<String> findings() {
    List<String> findings = new ArrayList<>();
    if (!isPositiveSemidefinite) {
      findings.add("G has negative eigenvalues beyond rounding: it is not a Gram matrix");
    }
    if (!isNonsingular()) {
      findings.add(
          String.format(
              Locale.ROOT,
              "G has rank %d of %d, so (H1) fails; the exponents are those on its range",
              rank,
              size));
    }
    if (components > 1) {
      findings.add("G falls into " + components + " groups of examples that do not interact");
    }
    if (!duplicates.isEmpty()) {
      findings.add(
          String.format(
              Locale.ROOT,
              "%d pairs of examples have the same gradients, first %d and %d",
              duplicates.size(),
              duplicates.get(0).first(),
              duplicates.get(0).second()));
    }
    if (singularityMargin.orElse(1) < NEARLY_ZERO) {
      findings.add("a step on one example erases a direction (ηκ = 1): the lowest exponent is −∞");
    }
    if (reflectionMargin.orElse(1) < NEARLY_ZERO) {
      findings.add(
          "a step on one example preserves the length of a direction (ηκ is 0 or 2): the minimum is"
              + " not regular");
    }
    return findings;
  }

  /** The margins of steps on single examples. */
  private record Margins(OptionalDouble singularity, OptionalDouble reflection) {
    static Margins of(GramMatrix gram, SgdStep step) {
      if (step.batchSize() > 1) {
        return new Margins(OptionalDouble.empty(), OptionalDouble.empty());
      }
      ExampleBlocks blocks = ExampleBlocks.of(gram);
      double singularity = Double.POSITIVE_INFINITY;
      double reflection = Double.POSITIVE_INFINITY;
      for (int i = 0; i < gram.examples(); i++) {
        for (double eigenvalue : blocks.eigenvalues(i)) {
          double factor = Math.abs(1 - step.learningRate() * eigenvalue);
          singularity = Math.min(singularity, factor);
          reflection = Math.min(reflection, Math.abs(factor - 1));
        }
      }
      return new Margins(OptionalDouble.of(singularity), OptionalDouble.of(reflection));
    }
  }

  /** Relations between examples. */
  private static final class Examples {
    private final GramMatrix gram;
    private final double tolerance;
    private final double[] scale;

    Examples(GramMatrix gram) {
      this.gram = gram;
      tolerance = 64 * gram.epsilon();
      scale = new double[gram.examples()];
      for (int i = 0; i < scale.length; i++) {
        scale[i] = Math.sqrt(largestEntry(i, i, false));
      }
    }

    int components() {
      boolean[] seen = new boolean[scale.length];
      int components = 0;
      for (int i = 0; i < scale.length; i++) {
        if (!seen[i]) {
          components++;
          visit(i, seen);
        }
      }
      return components;
    }

    private void visit(int start, boolean[] seen) {
      Deque<Integer> open = new ArrayDeque<>(List.of(start));
      seen[start] = true;
      while (!open.isEmpty()) {
        int i = open.pop();
        for (int j = 0; j < scale.length; j++) {
          if (!seen[j] && largestEntry(i, j, false) > tolerance * scale[i] * scale[j]) {
            seen[j] = true;
            open.push(j);
          }
        }
      }
    }

    List<Pair> duplicates() {
      List<Pair> pairs = new ArrayList<>();
      for (int i = 0; i < scale.length; i++) {
        for (int j = i + 1; j < scale.length && pairs.size() < MOST_DUPLICATES; j++) {
          double bound = tolerance * scale[i] * scale[i];
          if (scale[i] > 0
              && Math.abs(scale[i] - scale[j]) <= tolerance * scale[i]
              && largestEntry(i, j, true) <= bound
              && largestEntry(j, i, true) <= bound) {
            pairs.add(new Pair(i, j));
          }
        }
      }
      return pairs;
    }

    /** The largest |entry| of the block (i, j), or of its difference from the block (i, i). */
    private double largestEntry(int i, int j, boolean minusDiagonal) {
      int outputs = gram.outputs();
      double largest = 0;
      for (int k = 0; k < outputs; k++) {
        for (int l = 0; l < outputs; l++) {
          double entry = gram.get(i * outputs + k, j * outputs + l);
          if (minusDiagonal) {
            entry -= gram.get(i * outputs + k, i * outputs + l);
          }
          largest = Math.max(largest, Math.abs(entry));
        }
      }
      return largest;
    }
  }
}
