// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.stability.Enclosure;
import org.lyapunov4j.stability.MeanSquareStability;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class MeanSquareTest {
  static final MeanSquare SMALL =
      new MeanSquare(10, List.of(1, 5, 10), new Minimum.Plan(30, 1, 300, 1e-3, 5, 20_000));
  static final Settings DIGITS = new Settings(Optional.of(DataSource.parse("digits")), 1, 1);

  @TempDir private Path folder;

  private static Enclosure meanSquareRate(GramMatrix gram, int batchSize) {
    return MeanSquareStability.of(GramSpectrum.of(gram))
        .criticalLearningRate(SgdStep.of(0.01, batchSize));
  }

  /** JJᵀ. */
  private static GramMatrix gram(double[][] jacobian, int outputs) {
    int m = jacobian.length;
    double[][] rows = new double[m][m];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        for (int p = 0; p < jacobian[i].length; p++) {
          rows[i][j] += jacobian[i][p] * jacobian[j][p];
        }
      }
    }
    return GramMatrix.of(rows, m / outputs, outputs);
  }

  /** With one parameter there is one direction: h = 7.5, h_i = 1, 4, 9, 16, of variance 32.25. */
  @Test
  void withOneParameterEveryBoundIsTheThreshold() {
    GramMatrix gram = gram(new double[][] {{1}, {2}, {3}, {4}}, 1);
    double[] expected = {7.5 + 32.25 / 7.5, 7.5 + 32.25 / 7.5 / 3, 7.5 + 32.25 / 7.5 / 9, 7.5};
    for (int batch = 1; batch <= 4; batch++) {
      MomentBounds bounds = MomentBounds.of(gram, batch);
      assertThat(bounds.sharpness()).isCloseTo(7.5, within(1e-9));
      assertThat(bounds.alongTop()).isCloseTo(expected[batch - 1], within(1e-9));
      assertThat(bounds.best()).isCloseTo(expected[batch - 1], within(1e-9));
      assertThat(2 / meanSquareRate(gram, batch).value())
          .isCloseTo(expected[batch - 1], within(1e-9));
    }
  }

  /** With two parameters all directions can be tried, without a Gram matrix. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void theAscentFindsTheBestDirectionAndTheThresholdIsBeyond(int batch) {
    for (int seed = 1; seed <= 20; seed++) {
      double[][] jacobian = new double[10][];
      RandomStream random = new RandomStream(seed);
      for (int i = 0; i < jacobian.length; i++) {
        jacobian[i] = random.gaussians(2);
      }
      double best = 0;
      for (int k = 0; k < 20_000; k++) {
        best = Math.max(best, bound(jacobian, batch, Math.PI * k / 20_000));
      }
      GramMatrix gram = gram(jacobian, 2);
      MomentBounds bounds = MomentBounds.of(gram, batch);
      assertThat(bounds.best()).isCloseTo(best, within(1e-6 * best));
      assertThat(bounds.alongTop()).isBetween(bounds.sharpness() * (1 - 1e-9), bounds.best());
      double threshold = 2 / meanSquareRate(gram, batch).value();
      assertThat(threshold).isGreaterThanOrEqualTo(bounds.best() * (1 - 1e-9));
      if (batch == 5) {
        assertThat(threshold).isCloseTo(bounds.sharpness(), within(1e-9 * threshold));
      }
    }
  }

  /** Five examples of two outputs; H_i from the rows of the Jacobian. */
  private static double bound(double[][] jacobian, int batch, double angle) {
    double[] h = new double[5];
    for (int row = 0; row < 10; row++) {
      double along = jacobian[row][0] * Math.cos(angle) + jacobian[row][1] * Math.sin(angle);
      h[row / 2] += along * along;
    }
    double mean = 0;
    double square = 0;
    for (double one : h) {
      mean += one / 5;
      square += one * one / 5;
    }
    return mean + (5.0 - batch) / (batch * 4.0) * (square - mean * mean) / mean;
  }

  @Test
  void runsEndWhereTheLossStaysSmallAndTheChainHoldsThere() throws IOException {
    List<RunResult> results = Executed.results(SMALL, DIGITS, "B(1|5|10)-eta0.1-seed1", folder);
    assertThat(results).hasSize(3);
    for (RunResult run : results) {
      assertThat(run.value("reached")).isEqualTo(1);
      assertThat(run.value("steps")).isBetween(300.0, 19_999.0);
      assertThat(run.value("loss")).isBetween(0.0, 1e-3);
      assertThat(run.value("hessian"))
          .isCloseTo(run.value("sharpness"), within(0.1 * run.value("sharpness")));
      assertThat(run.value("criticalRateHigh"))
          .isGreaterThanOrEqualTo(run.value("meanSquareRateLow"));
    }
    assertThat(2 / results.get(2).value("meanSquareRate"))
        .isCloseTo(results.get(2).value("sharpness"), within(1e-6));
    Path page = new ResultFolder(folder.resolve("results")).write(SMALL, SMALL.findings(results));
    assertThat(Files.readString(page))
        .contains("3 of 3 runs converged", "came in this order in 3.", "| 0.1 | 5 | 1 of 1 |");
  }

  @Test
  void dataMustBeNamed() {
    assertThatThrownBy(() -> SMALL.runs(new Settings(Optional.empty(), 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("mean-square needs --data");
  }
}
