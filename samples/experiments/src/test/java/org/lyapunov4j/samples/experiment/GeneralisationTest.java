// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.step.RandomStream;

class GeneralisationTest {
  @TempDir private Path folder;

  @Test
  void aSolutionIsAnalysedAndTested() throws IOException {
    Generalisation experiment = new Generalisation(300);
    List<RunResult> results =
        Executed.results(
            experiment, new Settings(Optional.empty(), 1, 0.01), "B(16|100)-eta1.2-seed1", folder);
    assertThat(results).hasSize(2);
    for (RunResult run : results) {
      assertThat(run.value("steps")).isEqualTo(100);
      assertThat(run.value("reached")).isEqualTo(run.value("loss") <= 0.01 ? 1 : 0);
      assertThat(run.value("testLoss")).isGreaterThan(run.value("loss"));
      assertThat(run.value("accuracy")).isBetween(0.5, run.value("trainAccuracy"));
      assertThat(run.value("meanSquareEdgeRatio"))
          .isGreaterThanOrEqualTo(run.value("edgeRatio") * (1 - 1e-9));
    }
    RunResult descent = results.get(1);
    assertThat(descent.value("edgeRatio"))
        .isCloseTo(1.2 * descent.value("sharpness") / 2, within(1e-9));
  }

  @Test
  void trainingEndsAtTheLoss() throws IOException {
    List<RunResult> results =
        Executed.results(
            new Generalisation(300),
            new Settings(Optional.empty(), 1, 1),
            "B16-eta1.2-seed1",
            folder);
    assertThat(results.get(0).value("reached")).isEqualTo(1);
    assertThat(results.get(0).value("loss")).isBetween(5e-3, 0.01);
    assertThat(results.get(0).value("steps")).isLessThan(10_000);
  }

  /** A correlation that is there and one that is not. */
  @Test
  void correlationsAreFoundAndNotInvented() throws IOException {
    List<RunResult> results = new ArrayList<>();
    for (int seed = 1; seed <= 8; seed++) {
      RandomStream random = new RandomStream(seed);
      for (double rate : new double[] {0.1, 0.2, 0.4}) {
        for (int batch : new int[] {1, 4, 16, 100}) {
          double sharpness = random.nextDouble();
          results.add(
              new RunResult(
                  "B" + batch + "-eta" + rate + "-seed" + seed,
                  Map.of(
                      "learning rate", String.valueOf(rate),
                      "batch size", String.valueOf(batch),
                      "seed", String.valueOf(seed)),
                  new Measurements(
                      Map.of(
                          "reached",
                          1.0,
                          "diverged",
                          0.0,
                          "sharpness",
                          sharpness,
                          "edgeRatio",
                          random.nextDouble(),
                          "lambda",
                          -1e-5 * random.nextDouble(),
                          "lambdaSign",
                          -1.0,
                          "testLoss",
                          seed + Math.exp(sharpness),
                          "accuracy",
                          1 - sharpness * sharpness),
                      Map.of()),
                  0));
        }
      }
    }
    Generalisation experiment = new Generalisation();
    Findings findings = experiment.findings(results);
    String page =
        Files.readString(new ResultFolder(folder.resolve("results")).write(experiment, findings));
    assertThat(page).contains("| sharpness | 1.00 [1.00, 1.00] | -1.00 [-1.00, -1.00] | 8 |");
    assertThat(findings.sentences().get(1))
        .contains("without 0 for sharpness 1.00 [1.00, 1.00]; with 0 for")
        .contains("η/η_c", "λ");
    assertThat(page).contains("generalisation.png", "| 0.4 | 100 | 8 of 8 |");
  }

  /** Student's t of two, three and seven degrees of freedom. */
  @Test
  void intervalsAreStudents() {
    assertThat(new Mean(0, 1, 3).halfWidth()).isCloseTo(4.302653, within(1e-5));
    assertThat(new Mean(0, 2, 8).halfWidth()).isCloseTo(2 * 2.364624, within(1e-5));
    assertThat(new Mean(0, 1, 1).halfWidth()).isNaN();
  }
}
