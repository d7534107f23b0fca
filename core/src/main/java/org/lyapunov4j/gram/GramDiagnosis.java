// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.lyapunov4j.step.Momentum;
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
 * @param lowest the lowest eigenvalue, negative only by rounding if G is a Gram matrix
 * @param asymmetry of the matrix as it was given
 * @param isPositiveSemidefinite whether negative eigenvalues are no more than rounding
 * @param components the number of groups of rows between which G vanishes up to rounding;
 *     irreducible means 1
 * @param weakestLink the largest t such that the entries with |G_ab| ≥ t√(G_aa G_bb) connect all
 *     rows: how far G is from falling apart, 0 … 1
 * @param duplicates pairs of examples with the same gradients up to rounding, at most {@value
 *     #MOST_DUPLICATES}
 * @param singularityMargin the smallest |1 − ηκ| over the nonzero eigenvalues κ of all G_ii if B =
 *     1, of G/N if B = N, with decay |d − ηκ|: 0 if a step is not invertible. Absent for other
 *     batch sizes, whose blocks are too many to visit, and with momentum
 * @param reflectionMargin the smallest ||1 − ηκ| − 1| over the same, 0 if a step preserves the
 *     length of a direction; of a scalar example (K = 1) that has no gradient too
 */
public record GramDiagnosis(
    int rank,
    int size,
    double largest,
    OptionalDouble smallestNonzero,
    OptionalDouble conditionNumber,
    double lowest,
    double asymmetry,
    boolean isPositiveSemidefinite,
    int components,
    double weakestLink,
    List<Pair> duplicates,
    OptionalDouble singularityMargin,
    OptionalDouble reflectionMargin) {
  /** How many duplicate pairs are listed at most. */
  public static final int MOST_DUPLICATES = 100;

  private static final double NEARLY_ZERO = 1e-6;
  private static final double ROUNDING_UNITS = 64;

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
    Margins margins = Margins.of(gram, spectrum, step);
    GramGraph graph = GramGraph.of(gram);
    return new GramDiagnosis(
        spectrum.rank(),
        gram.size(),
        spectrum.largest(),
        spectrum.smallestNonzero(),
        spectrum.conditionNumber(),
        spectrum.lowest(),
        gram.asymmetry(),
        spectrum.isPositiveSemidefinite(),
        graph.components(ROUNDING_UNITS * gram.epsilon()),
        graph.weakestLink(),
        new Duplicates(gram).find(),
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
      findings.add("G falls into " + components + " groups of rows that do not interact");
    } else if (weakestLink < NEARLY_ZERO) {
      findings.add(
          String.format(
              Locale.ROOT, "G nearly falls apart: its weakest link is %.1e", weakestLink));
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
      findings.add("a step erases a direction (ηκ = 1): the lowest exponent is −∞");
    }
    if (reflectionMargin.orElse(1) < NEARLY_ZERO) {
      findings.add(
          "a step preserves the length of a direction (ηκ is 0 or 2): the minimum is not regular");
    }
    return findings;
  }

  /** The margins of single steps. */
  private record Margins(OptionalDouble singularity, OptionalDouble reflection) {
    static Margins of(GramMatrix gram, GramSpectrum spectrum, SgdStep step) {
      double rate = step.learningRate();
      double keep = 1 - rate * (step.l2() + step.weightDecay());
      OptionalDouble singularity = OptionalDouble.empty();
      OptionalDouble reflection = OptionalDouble.empty();
      for (double curvature : curvatures(gram, spectrum, step)) {
        double factor = Math.abs(keep - rate * curvature);
        singularity = OptionalDouble.of(Math.min(singularity.orElse(factor), factor));
        double margin = Math.abs(factor - 1);
        reflection = OptionalDouble.of(Math.min(reflection.orElse(margin), margin));
      }
      return new Margins(singularity, reflection);
    }

    /** The curvatures along which a step multiplies; empty where they are not known. */
    private static List<Double> curvatures(GramMatrix gram, GramSpectrum spectrum, SgdStep step) {
      List<Double> curvatures = new ArrayList<>();
      if (!(step.momentum() instanceof Momentum.None)) {
        return curvatures;
      }
      if (step.batchSize() == 1) {
        ExampleBlocks blocks = ExampleBlocks.of(gram);
        double noise = gram.outputs() * gram.epsilon() * blocks.largestEigenvalue();
        for (int i = 0; i < gram.examples(); i++) {
          for (double eigenvalue : blocks.eigenvalues(i)) {
            // a block of several outputs may well be singular, as every softmax makes it
            if (gram.outputs() == 1 || eigenvalue > noise) {
              curvatures.add(eigenvalue);
            }
          }
        }
      } else if (step.isFullBatch(gram.examples())) {
        for (int k = spectrum.size() - spectrum.rank(); k < spectrum.size(); k++) {
          curvatures.add(spectrum.eigenvalue(k) / gram.examples());
        }
      }
      return curvatures;
    }
  }

  /** Finds examples whose rows are the same. */
  private static final class Duplicates {
    private final GramMatrix gram;
    private final double rounding;
    private final double[] norms;

    Duplicates(GramMatrix gram) {
      this.gram = gram;
      rounding = ROUNDING_UNITS * gram.epsilon();
      norms = new double[gram.size()];
      for (int a = 0; a < norms.length; a++) {
        norms[a] = Math.sqrt(Math.max(0, gram.get(a, a)));
      }
    }

    List<Pair> find() {
      List<Pair> pairs = new ArrayList<>();
      for (int i = 0; i < gram.examples(); i++) {
        for (int j = i + 1; j < gram.examples() && pairs.size() < MOST_DUPLICATES; j++) {
          if (isNear(i, j) && isEqual(i, j)) {
            pairs.add(new Pair(i, j));
          }
        }
      }
      return pairs;
    }

    /** Whether |f_i − f_j|² is rounding for nonzero rows: necessary, and cheap. */
    private boolean isNear(int i, int j) {
      double all = 0;
      for (int k = 0; k < gram.outputs(); k++) {
        int a = i * gram.outputs() + k;
        int b = j * gram.outputs() + k;
        double sum = norms[a] * norms[a] + norms[b] * norms[b];
        if (Math.abs(sum - 2 * gram.get(a, b)) > 2 * rounding * sum) {
          return false;
        }
        all += sum;
      }
      return all > 0;
    }

    private boolean isEqual(int i, int j) {
      for (int k = 0; k < gram.outputs(); k++) {
        int a = i * gram.outputs() + k;
        int b = j * gram.outputs() + k;
        double tolerance = rounding * Math.max(norms[a], norms[b]);
        for (int c = 0; c < norms.length; c++) {
          if (Math.abs(gram.get(a, c) - gram.get(b, c)) > tolerance * norms[c]) {
            return false;
          }
        }
      }
      return true;
    }
  }
}
