// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.stability.MeanSquareStability;

/**
 * Counts how often 95 % intervals of spectrum, moments and finite times hold the truth on five of
 * the reference kernels, at default settings.
 */
public final class ReferenceCoverage {
  private static final Set<String> KERNELS = Set.of("g00", "g04", "g08", "g12", "g16");

  /** Two standard errors, as a reader of value ± error takes them. */
  private static final double TWO_SIDED = 1.96;

  private final Map<String, Tally> tallies = new TreeMap<>();

  /** What was counted of one number. */
  public static final class Tally {
    private final List<String> missed = new ArrayList<>();
    private final List<Double> errors = new ArrayList<>();
    private int all;

    void add(String what, double truth, double slack, double low, double high) {
      all++;
      errors.add((high - low) / 2 / Math.abs(truth));
      if (!(low - slack <= truth && truth <= high + slack)) {
        missed.add(
            String.format(
                Locale.ROOT, "%s: [%.6g, %.6g] for %.6g ± %.1g", what, low, high, truth, slack));
      }
    }

    public int all() {
      return all;
    }

    /** The share of intervals that hold the truth. */
    public double coverage() {
      return 1 - (double) missed.size() / all;
    }

    public List<String> missed() {
      return missed;
    }

    @Override
    public String toString() {
      List<Double> sorted = errors.stream().sorted().toList();
      return String.format(
          Locale.ROOT,
          "%4d of %4d, %5.1f %%, half-width %.2g of the truth in the median, %.2g at 90 %%",
          all - missed.size(),
          all,
          100 * coverage(),
          sorted.get(all / 2),
          sorted.get(9 * all / 10));
    }
  }

  private Tally tally(String number, TangentKernels.Case at) {
    return tallies.computeIfAbsent(
        number + (at.nominal() > 1 ? ", beyond the edge" : ", below the edge"), key -> new Tally());
  }

  /** By number. */
  public Map<String, Tally> tallies() {
    return tallies;
  }

  /** The cases of five kernels. */
  public static List<TangentKernels.Case> cases(Predicate<TangentKernels.Case> filter) {
    return TangentKernels.rows().stream()
        .filter(row -> KERNELS.contains(row.name().substring(0, 3)))
        .flatMap(row -> row.cases().stream())
        .filter(filter)
        .toList();
  }

  /** The largest exponent of the spectrum is λ. */
  public void spectrum(TangentKernels.Case at, long seed) {
    Estimate top =
        SpectrumEstimator.builder()
            .seed(seed)
            .exponents(2)
            .build()
            .estimate(at.row().gram(), at.step())
            .exponents()
            .get(0);
    add("first exponent", at, seed, top, at.exponent(), 2 * at.standardError());
  }

  /**
   * Λ(2) is known in closed form; Λ(1) lies between λ and Λ(2)/2, which differ by far less than its
   * error below the edge of the mean square.
   */
  public void moments(TangentKernels.Case at, long seed) {
    GramMatrix gram = at.row().gram();
    GramSpectrum spectrum = GramSpectrum.of(gram);
    double second = MeanSquareStability.of(spectrum).exponent(at.step());
    MomentExponents moments =
        MomentEstimator.builder().seed(seed).build().estimate(spectrum, at.step(), 1, 2);
    add("Λ(2)", at, seed, moments.of(2), second, 0);
    double middle = 0.5 * (at.exponent() + 0.5 * second);
    double half = Math.abs(0.5 * second - at.exponent()) / 2;
    add("Λ(1)", at, seed, moments.of(1), middle, half + 2 * at.standardError());
  }

  /** Against {@code ntk/finite-times.csv}. */
  public void finiteTimes(TangentKernels.Case at, long seed) {
    Distribution truth = Distribution.of(at);
    GramMatrix gram = at.row().gram();
    FiniteTimeExponents found =
        FiniteTimeEstimator.builder()
            .seed(seed)
            .residual(Distribution.residual(gram))
            .build()
            .estimate(gram, at.step(), truth.horizon());
    double deviation = Math.sqrt(truth.variance());
    double root = Math.sqrt(truth.realisations());
    add("finite-time mean", at, seed, found.mean(), truth.mean(), deviation / root);
    // errors of the reference, which is 80 times as large, as for a normal distribution
    double ofVariance = truth.variance() * Math.sqrt(2) / root;
    add("finite-time variance", at, seed, found.variance(), truth.variance(), ofVariance);
    double ofSkewness = Math.sqrt(6) / root;
    add("finite-time skewness", at, seed, found.skewness(), truth.skewness(), ofSkewness);
    FiniteTimeExponents.Proportion shrinks = found.probabilityNegative();
    double share = truth.negative();
    tally("finite-time P(shrinks)", at)
        .add(
            at + ", seed " + seed,
            share,
            Math.sqrt(share * (1 - share)) / root,
            shrinks.low(),
            shrinks.high());
  }

  private void add(
      String number,
      TangentKernels.Case at,
      long seed,
      Estimate found,
      double truth,
      double slack) {
    double half = TWO_SIDED * found.standardError();
    tally(number, at)
        .add(at + ", seed " + seed, truth, slack, found.value() - half, found.value() + half);
  }

  /**
   * What 20 000 products of 50 steps gave, made outside this project in NumPy, from the residual G
   * cos(0, 1, 2, …).
   */
  private record Distribution(
      int horizon,
      int realisations,
      double mean,
      double variance,
      double skewness,
      double negative) {
    static Distribution of(TangentKernels.Case at) {
      String key = at.row().name().replace('/', ',') + "," + at.nominal() + ",";
      try (BufferedReader in =
          new BufferedReader(
              new InputStreamReader(
                  Objects.requireNonNull(
                      TangentKernels.class.getResourceAsStream("ntk/finite-times.csv")),
                  StandardCharsets.UTF_8))) {
        String[] fields =
            in.lines()
                .filter(line -> line.startsWith(key))
                .findFirst()
                .orElseThrow()
                .split(",", -1);
        return new Distribution(
            Integer.parseInt(fields[4]),
            Integer.parseInt(fields[5]),
            Double.parseDouble(fields[6]),
            Double.parseDouble(fields[7]),
            Double.parseDouble(fields[8]),
            Double.parseDouble(fields[9]));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    static double[] residual(GramMatrix gram) {
      double[] cosines = new double[gram.size()];
      for (int i = 0; i < cosines.length; i++) {
        cosines[i] = Math.cos(i);
      }
      double[] residual = new double[gram.size()];
      gram.multiply(cosines, residual);
      return residual;
    }
  }
}
