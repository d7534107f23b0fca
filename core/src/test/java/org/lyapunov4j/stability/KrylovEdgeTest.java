// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.TangentKernels;
import org.lyapunov4j.exponent.DenseTangentOperator;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.KrylovSpace;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * η_c of the reference kernels from Krylov spaces much smaller than they are. {@link #main} prints
 * all rows.
 */
class KrylovEdgeTest {
  private static final List<String> SOME =
      List.of("g04/25", "g06/1", "g08/4", "g10/4", "g14/4", "g16/4", "g18/7");

  /** What came out. */
  private record Found(Optional<CriticalLearningRate> edge, int dimension) {}

  private static Found find(TangentKernels.Row row, int first, int most, double work, long seed) {
    return find(row.gram(), row.batchSize(), first, most, work, seed);
  }

  private static Found find(
      GramMatrix gram, int batchSize, int first, int most, double work, long seed) {
    return find(gram, SgdStep.of(1, batchSize), first, most, work, seed);
  }

  private static Found find(
      GramMatrix gram, SgdStep step, int first, int most, double work, long seed) {
    KrylovSpace space = KrylovSpace.of(gram, () -> false, new RandomStream(seed).split(2));
    LargestEigenpair top = LargestEigenpair.of(gram);
    double fullBatch = FullBatchExponent.criticalLearningRate(top.value() / gram.examples(), step);
    double bound = DirectionalBound.of(gram::multiply, top, gram.examples(), step, fullBatch);
    KrylovEdge search =
        new KrylovEdge(
            space,
            step,
            new KrylovEdge.Sizes(first, most),
            new KrylovEdge.Settings(1, work, 0, bound, 0.01, 2, () -> false),
            new RandomStream(seed).split(1));
    return new Found(
        search.find(Math.min(fullBatch, bound) / 1.6, Optional.empty()), space.extend(0));
  }

  private static TangentKernels.Row row(String name) {
    return TangentKernels.rows().stream()
        .filter(row -> row.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static boolean meets(CriticalLearningRate edge, TangentKernels.Row reference) {
    return edge.low() <= reference.criticalHigh() && edge.high() >= reference.criticalLow();
  }

  /** Spaces of 32 and 64 dimensions, for matrices of up to 280 rows. */
  @Test
  void intervalsFromSmallSpacesCoverTheReferences() {
    List<TangentKernels.Row> rows =
        TangentKernels.rows().stream().filter(row -> SOME.contains(row.name())).toList();
    assertThat(rows).hasSize(SOME.size());
    int covered = 0;
    for (TangentKernels.Row row : rows) {
      Found found = find(row, 32, 64, 4e8, 1);
      CriticalLearningRate edge = found.edge().orElseThrow();
      double truth = Math.sqrt(row.criticalLow() * row.criticalHigh());
      assertThat(edge.value() / truth).as(row.name()).isBetween(0.95, 1.04);
      covered += meets(edge, row) ? 1 : 0;
    }
    assertThat(covered).isGreaterThanOrEqualTo(SOME.size() - 1);
  }

  /** What users get, from a root of the kernel in the place of a Jacobian. */
  @Test
  void reportsAtDefaultSettingsCoverTheReferencesToo() {
    for (String name : List.of("g10/4", "g16/4")) {
      TangentKernels.Row row = row(name);
      GramMatrix gram = row.gram();
      Array2DRowRealMatrix matrix = new Array2DRowRealMatrix(gram.size(), gram.size());
      for (int i = 0; i < gram.size(); i++) {
        for (int j = 0; j < gram.size(); j++) {
          matrix.setEntry(i, j, gram.get(i, j));
        }
      }
      double[][] root = new EigenDecompositionSymmetric(matrix).getSquareRoot().getData();
      StabilityReport report =
          StabilityAnalyzer.builder()
              .build()
              .analyze(
                  new DenseTangentOperator(root, gram.outputs()),
                  SgdStep.of(0.1 * row.criticalLow(), row.batchSize()));
      CriticalLearningRate edge = report.criticalLearningRate().orElseThrow();
      double truth = Math.sqrt(row.criticalLow() * row.criticalHigh());
      assertThat(edge.value() / truth).as(name).isBetween(0.97, 1.03);
      assertThat(meets(edge, row)).as(name).isTrue();
    }
  }

  /** Momentum, decay and draws in a fixed order, in spaces and with the matrix. */
  @Test
  void otherStepsHaveTheirEdgesInSpacesToo() {
    TangentKernels.Row row = row("g10/4");
    GramMatrix gram = row.gram();
    for (SgdStep step :
        List.of(
            SgdStep.of(1, 4).withMomentum(new Momentum.Nesterov(0.9)),
            SgdStep.of(1, 4).withMomentum(new Momentum.HeavyBall(0.5)).withL2(1e-3),
            SgdStep.of(1, 4).withSampling(MiniBatchSampling.ORDERED_EPOCHS))) {
      CriticalLearningRate expected = EdgeFinder.builder().build().criticalLearningRate(gram, step);
      CriticalLearningRate edge = find(gram, step, 32, 64, 4e8, 1).edge().orElseThrow();
      assertThat(edge.value() / expected.value()).as(step.toString()).isBetween(0.96, 1.03);
      assertThat(edge.low()).isLessThan(expected.high());
      assertThat(edge.high()).isGreaterThan(expected.low());
    }
  }

  /** Outputs that share a kernel have its edge, though they have each eigenvalue twice. */
  @Test
  void outputsThatShareAKernelHaveItsEdge() {
    TangentKernels.Row row = row("g04/4");
    GramMatrix gram = row.gram();
    int examples = gram.examples();
    double[][] shared = new double[2 * examples][2 * examples];
    for (int i = 0; i < shared.length; i++) {
      for (int j = i % 2; j < shared.length; j += 2) {
        shared[i][j] = gram.get(i / 2, j / 2);
      }
    }
    GramMatrix twice = GramMatrix.of(shared, examples, 2);
    CriticalLearningRate edge = find(twice, 4, 32, 128, 4e8, 1).edge().orElseThrow();
    double truth = Math.sqrt(row.criticalLow() * row.criticalHigh());
    assertThat(gram.outputs()).isEqualTo(1);
    assertThat(edge.value() / truth).isBetween(0.97, 1.03);
    assertThat(meets(edge, row)).isTrue();
  }

  /** Of 65 to 89 rows the first space is the last. */
  @Test
  void aSpaceOfAllRowsNeedsNoOther() {
    TangentKernels.Row row = row("g12/1");
    Found found = find(row, 80, 80, 2e8, 1);
    assertThat(found.dimension()).isEqualTo(80);
    assertThat(meets(found.edge().orElseThrow(), row)).isTrue();
  }

  /** Noise has no directions of its own that a small space could hold. */
  @Test
  void theEdgeOfNoiseIsFoundOrNothingIsSaid() {
    GramMatrix gram = DenseTangentOperator.random(300, 1, 300, 0, 0, 3).gram();
    CriticalLearningRate expected =
        EdgeFinder.builder().build().criticalLearningRate(gram, SgdStep.of(1, 1));
    assertThat(find(gram, 1, 32, 64, 2e8, 1).edge()).isEmpty();
    CriticalLearningRate edge = find(gram, 1, 64, 128, 2e8, 1).edge().orElseThrow();
    assertThat(edge.value() / expected.value()).isBetween(0.98, 1.02);
    assertThat(edge.low()).isLessThan(expected.high());
    assertThat(edge.high()).isGreaterThan(expected.low());
  }

  /** At 8 and 16 dimensions η_c is 18 % too low and 2 % too high. */
  @Test
  void nothingIsSaidWhereTheEdgeDoesNotSettle() {
    TangentKernels.Row row = row("g16/1");
    Found found = find(row, 8, 16, 2e8, 1);
    assertThat(found.edge()).isEmpty();
    assertThat(found.dimension()).isEqualTo(16);
  }

  /**
   * Prints all rows; arguments: dimensions of the first space and the last, flops of a sweep, seeds
   * and, for some rows alone, what their names begin with.
   */
  public static void main(String[] arguments) {
    int first = Integer.parseInt(arguments[0]);
    int most = Integer.parseInt(arguments[1]);
    double work = Double.parseDouble(arguments[2]);
    int covered = 0;
    int all = 0;
    String prefix = arguments.length > 4 ? arguments[4] : "";
    List<TangentKernels.Row> rows =
        TangentKernels.rows().stream().filter(row -> row.name().startsWith(prefix)).toList();
    for (TangentKernels.Row row : rows) {
      for (int seed = 1; seed <= Integer.parseInt(arguments[3]); seed++) {
        Found found = find(row, first, most, work, seed);
        double truth = Math.sqrt(row.criticalLow() * row.criticalHigh());
        all++;
        boolean meets = found.edge().map(edge -> meets(edge, row)).orElse(false);
        covered += meets ? 1 : 0;
        System.out.println(
            found
                .edge()
                .map(
                    edge ->
                        String.format(
                            Locale.ROOT,
                            "%-7s m %3d, space %3d: %+.1f %% [%+.1f, %+.1f] bracket ±%.1f %s",
                            row.name(),
                            row.gram().size(),
                            found.dimension(),
                            100 * (edge.value() / truth - 1),
                            100 * (edge.low() / truth - 1),
                            100 * (edge.high() / truth - 1),
                            100 * (row.criticalHigh() / truth - 1),
                            meets ? "" : "missed"))
                .orElse(row.name() + " not settled at " + found.dimension()));
      }
    }
    System.out.println(covered + " of " + all);
  }
}
