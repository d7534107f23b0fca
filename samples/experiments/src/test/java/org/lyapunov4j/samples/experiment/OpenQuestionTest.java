// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.samples.data.DataSource;

/** The experiments without a published answer, at a size for tests. */
class OpenQuestionTest {
  @TempDir private Path folder;

  private List<RunResult> execute(Experiment experiment, Settings settings, String pattern)
      throws IOException {
    return Executed.results(experiment, settings, pattern, folder);
  }

  private static Settings settings(double length) {
    return new Settings(Optional.empty(), 1, length);
  }

  @Test
  void closeToAMinimumGradientDescentDoesWhatTheVerdictSays() throws IOException {
    RunResult run = execute(new Prediction(), settings(0.12), "K1-B40-.*").get(0);
    // The rates of the continuations would have kept training from the last level.
    assertThat(run.value("levels")).isEqualTo(3);
    assertThat(run.curve("factor"))
        .containsExactly(0.5, 0.9, 1.1, 2, 0.5, 0.9, 1.1, 2, 0.5, 0.9, 1.1, 2);
    for (int i = 8; i < 12; i++) {
      double factor = run.curve("factor")[i];
      assertThat(run.curve("lambda")[i] > 0).isEqualTo(factor > 1);
      assertThat(run.curve("highest")[i] > run.curve("start")[i]).isEqualTo(factor > 1);
      assertThat(Double.isNaN(run.curve("rise")[i]))
          .isEqualTo(run.curve("highest")[i] <= 10 * run.curve("start")[i]);
      if (factor > 1) {
        // full batch: |1 − 2 · factor| in the sharpest direction
        double lambda = Math.log(2 * factor - 1);
        assertThat(run.curve("lambda")[i]).isCloseTo(lambda, within(1e-9));
        assertThat(run.curve("meanSquare")[i]).isCloseTo(2 * lambda, within(1e-6));
      }
    }
  }

  @Test
  void aLargerRateIsNearerToTheEdge() throws IOException {
    List<RunResult> results =
        execute(new Evolution(), settings(0.002), "K1-iid-B16-.*|K10-(shuffled|momentum)-B16-.*");
    assertThat(results).hasSize(5);
    double[] ratios = results.stream().mapToDouble(run -> run.curve("edgeRatio")[0]).toArray();
    assertThat(ratios[0]).isPositive().isLessThan(ratios[1]);
    assertThat(ratios[1]).isLessThan(ratios[2]);
    Findings findings = new Evolution().findings(results);
    String page =
        Files.readString(
            new ResultFolder(folder.resolve("results")).write(new Evolution(), findings));
    assertThat(page)
        .contains("| 10 | momentum | 16 |", "evolution-K1.png", "evolution-end-K10.png");
    assertThat(page).contains("evolution-K1-large.png");
    // nothing to be drawn over time: no independent mini-batches
    assertThat(page).doesNotContain("evolution-K10.png");
  }

  @Test
  void ratesFitTheWidthOfTheInput() throws IOException {
    Path file = folder.resolve("batch.bin");
    byte[] images = new byte[80 * 3073];
    for (int i = 0; i < images.length; i++) {
      images[i] = (byte) (i % 3073 == 0 ? i / 3073 % 10 : i * 37 + i / 3073 * i);
    }
    Files.write(file, images);
    Settings wide = new Settings(Optional.of(DataSource.parse("cifar10:" + file)), 1, 1);
    assertThat(new Evolution().runs(wide))
        .extracting(Run::id)
        .contains("K1-iid-B80-eta0.0025-seed1", "K10-momentum-B1-eta0.00625-seed1");
    assertThat(new Evolution().runs(settings(1)))
        .extracting(Run::id)
        .contains("K1-iid-B80-eta0.05-seed1", "K10-momentum-B1-eta0.125-seed1");
  }

  @Test
  void fewExamplesAreLearntAtTwiceTheExponent() throws IOException {
    List<RunResult> results = execute(new Speed(), settings(0.2), "K1-N8-B8-.*");
    RunResult run = results.get(0);
    LossRate rate = LossRate.of(run, 50).orElseThrow();
    // gradient descent: the slowest direction is all that is left
    assertThat(rate.measured()).isCloseTo(rate.exponent(), within(0.05 * -rate.exponent()));
    assertThat(run.curve("residualRate")).doesNotContain(Double.NaN);
    assertThat(new Speed().findings(results).sentences().get(0)).contains("in 1 of 1 runs");
  }
}
