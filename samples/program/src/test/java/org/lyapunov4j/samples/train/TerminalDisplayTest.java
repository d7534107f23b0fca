// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class TerminalDisplayTest {
  private static final RunDescription RUN =
      new RunDescription(
          "digits", "digits", 8, List.of(2, 1), "TANH", "MSE", 3, "DOUBLE", 4, "SGD", 200, 50, 1);

  private final StringWriter out = new StringWriter();
  private final AtomicLong time = new AtomicLong();

  /** The last line is replaced five times a second, and cut, not wrapped, by a narrow terminal. */
  @Test
  void aTerminalShowsProgressInPlace() {
    TerminalDisplay display = display(true);
    display.started(RUN);
    int table = out.getBuffer().length();
    for (int i = 0; i < 100; i++) {
      time.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
      display.stepped(i, 0.25);
    }
    assertThat(out.toString().substring(table))
        .isEqualTo(
            line("20/200  10 %  2 s left  loss 2.50e-01")
                + line("40/200  20 %  2 s left  loss 2.50e-01")
                + line("60/200  30 %  1 s left  loss 2.50e-01")
                + line("80/200  40 %  1 s left  loss 2.50e-01")
                + line("100/200  50 %  1 s left  loss 2.50e-01"));
    display.ended(new RunEnd(RunEnd.Reason.INTERRUPTED, 100, 0.125, 61));
    assertThat(out.toString())
        .endsWith(
            "\r\u001b[2K"
                + System.lineSeparator()
                + "interrupted after 100 iterations in 1 min 01 s, loss 1.250e-01"
                + System.lineSeparator());
  }

  private static String line(String text) {
    return "\r\u001b[2K\u001b[?7l" + text + "\u001b[?7h";
  }

  @Test
  void elsewhereNothingIsRewritten() {
    TerminalDisplay display = display(false);
    display.started(RUN);
    for (int i = 0; i < 100; i++) {
      time.addAndGet(TimeUnit.SECONDS.toNanos(1));
      display.stepped(i, 0.25);
    }
    display.ended(new RunEnd(RunEnd.Reason.COMPLETED, 200, 0.125, 3));
    assertThat(out.toString()).doesNotContain("\u001b", "\r\r", "left");
  }

  /** The edge ratio of the last checkpoint; of the economy tier, which has none, its bound. */
  @ParameterizedTest
  @CsvSource({"STANDARD, η/η_c", "ECONOMY, η/η_ms"})
  void theLastRatioIsAGauge(Tier tier, String name) {
    MultiLayerNetwork network =
        DenseNetwork.initialised(
            new DenseNetwork(List.of(2), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
                .configuration(2, 1, new Sgd(0.1), 1));
    DataSet data =
        new DataSet(
            Nd4j.createFromArray(new double[][] {{1, 0}, {0, 1}, {1, 1}}),
            Nd4j.createFromArray(new double[][] {{1}, {-1}, {0}}));
    Checkpoint checkpoint =
        StabilityAnalysis.of(network, data, AnalysisSettings.of(tier).withSeed(0).withBatchSize(1))
            .run();
    double ratio =
        checkpoint
            .stability()
            .edgeRatio()
            .orElseGet(() -> checkpoint.stability().meanSquareEdgeRatio().orElseThrow());
    TerminalDisplay display = display(true);
    display.started(RUN);
    display.checkpoint(checkpoint);
    time.addAndGet(TimeUnit.SECONDS.toNanos(1));
    display.stepped(9, 0.25);
    assertThat(out.toString())
        .contains(checkpoint.stability().verdict().kind().name())
        .endsWith(
            "  loss 2.50e-01  "
                + String.format(Locale.ROOT, "%s %.3f %s", name, ratio, Gauge.of(ratio))
                + "\u001b[?7h");
  }

  private TerminalDisplay display(boolean terminal) {
    return new TerminalDisplay(new PrintWriter(out, true), terminal, time::get);
  }
}
