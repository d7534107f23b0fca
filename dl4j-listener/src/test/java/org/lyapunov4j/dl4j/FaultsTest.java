// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;

/**
 * A failure at any point inside leaves training as it is, is counted, and does not end watching.
 */
class FaultsTest {
  private static final int ITERATIONS = 6;

  private final DataSet data = Networks.data(5, 12, 3, 2, DataType.DOUBLE);
  private boolean drawsNoise = true;
  private List<Object> undisturbed = train(null);

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(Stage.class)
  void trainingIsBitIdentical(Stage stage) {
    reach(stage);
    for (Throwable failure :
        List.of(
            new IllegalStateException("injected"),
            new OutOfMemoryError("injected"),
            new StackOverflowError(),
            new IOException("no space left on device"))) {
      for (UnaryOperator<LyapunovListener.Builder> mode : modes()) {
        LyapunovListener listener = mode.apply(builder(at(stage, failure))).build();
        assertThat(train(listener)).isEqualTo(undisturbed);
        listener.close();
        assertThat(listener.failures()).as("%s at %s", failure, stage).isPositive();
        assertThat(listener.isOff()).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Stage.class)
  void aFailureIsNotTheEnd(Stage stage) {
    reach(stage);
    int[] left = {1};
    LyapunovListener listener =
        builder(
                entered -> {
                  if (entered == stage && left[0]-- > 0) {
                    throw new OutOfMemoryError("injected");
                  }
                })
            .build();
    train(listener);
    assertThat(listener.failures()).isEqualTo(1);
    assertThat(listener.isOff()).isFalse();
    assertThat(listener.history()).hasSizeGreaterThanOrEqualTo(ITERATIONS - 1);
    listener.close();
  }

  @ParameterizedTest
  @EnumSource(Stage.class)
  void strictThrowsInTheTrainingThread(Stage stage) {
    reach(stage);
    IllegalStateException failure = new IllegalStateException("injected");
    for (UnaryOperator<LyapunovListener.Builder> mode : modes()) {
      LyapunovListener listener = mode.apply(builder(at(stage, failure))).strict(true).build();
      assertThatThrownBy(() -> train(listener)).isSameAs(failure);
      listener.close();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Stage.class,
      names = {"GRAM", "ANALYSIS", "TRAJECTORY"})
  void aCancelledCheckpointIsNoFailure(Stage stage) {
    reach(stage);
    LyapunovListener listener = builder(at(stage, new CancellationException())).build();
    assertThat(train(listener)).isEqualTo(undisturbed);
    assertThat(listener.failures()).isZero();
    assertThat(listener.cancelled()).isEqualTo(ITERATIONS);
    listener.close();
  }

  @Test
  void anInterruptCancelsAndStaysSet() {
    LyapunovListener listener = builder(stage -> {}).build();
    Thread.currentThread().interrupt();
    try {
      assertThat(train(listener)).isEqualTo(undisturbed);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(listener.cancelled()).isEqualTo(ITERATIONS);
    assertThat(listener.failures()).isZero();
    listener.close();
  }

  @Test
  void anInterruptInTheMiddleCancelsAndStaysSet() {
    LyapunovListener listener =
        builder(
                stage -> {
                  if (stage == Stage.ANALYSIS) {
                    Thread.currentThread().interrupt();
                  }
                })
            .build();
    try {
      assertThat(train(listener)).isEqualTo(undisturbed);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(listener.cancelled()).isEqualTo(ITERATIONS);
    listener.close();
  }

  /** With dropout there is no trajectory. */
  private void reach(Stage stage) {
    if (stage == Stage.TRAJECTORY) {
      drawsNoise = false;
      undisturbed = train(null);
    }
  }

  private static List<UnaryOperator<LyapunovListener.Builder>> modes() {
    return List.of(direct -> direct, background -> background.background(Backlog.WAIT));
  }

  private static Consumer<Stage> at(Stage stage, Throwable failure) {
    return entered -> {
      if (entered == stage) {
        FaultsTest.<RuntimeException>sneak(failure);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneak(Throwable failure) throws E {
    throw (E) failure;
  }

  private LyapunovListener.Builder builder(Consumer<Stage> stages) {
    return LyapunovListener.builder(data)
        .settings(
            AnalysisSettings.standard()
                .withSeed(0)
                .withAnalyzer(settings -> settings.maxEpochs(4).threads(1).spectrumLimit(0)))
        .frequency(1)
        .trajectory(TrajectoryExponent.Curvature.HESSIAN)
        .record(folder.resolve("run" + System.nanoTime()))
        .registry(new SimpleMeterRegistry())
        .to(checkpoint -> {})
        .intervene((model, checkpoint) -> {})
        .atEachStage(stages);
  }

  private List<Object> train(LyapunovListener listener) {
    NeuralNetConfiguration.Builder configuration =
        Networks.configuration(new Nesterovs(0.02, 0.5), DataType.DOUBLE);
    MultiLayerNetwork network =
        Networks.regression(drawsNoise ? configuration.dropOut(0.7) : configuration, 3, 5, 2);
    Nd4j.getRandom().setSeed(77);
    if (listener != null) {
      network.setListeners(listener);
    }
    List<DataSet> batches = data.batchBy(4);
    for (int t = 0; t < ITERATIONS; t++) {
      network.fit(batches.get(t % batches.size()));
      if (listener != null) {
        listener.flush();
      }
    }
    return Stream.of(network.params(), network.getUpdater().getStateViewArray())
        .<Object>map(a -> DoubleStream.of(a.toDoubleVector()).boxed().toList())
        .toList();
  }
}
