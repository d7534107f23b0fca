// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** Training with the listener ends, bit for bit, where training without it ends. */
class IsolationTest {
  private static final int EXAMPLES = 12;
  private static final int BATCH = 4;

  /** What there is to disturb. */
  record Outcome(
      List<Double> parameters, List<Double> updaterState, long rootState, long nodeState) {
    static Outcome of(MultiLayerNetwork network) {
      Random random = Nd4j.getRandom();
      var state = network.getUpdater(false).getStateViewArray();
      return new Outcome(
          toList(network.params()),
          state == null ? List.of() : toList(state),
          random.rootState(),
          random.nodeState());
    }

    private static List<Double> toList(INDArray array) {
      return DoubleStream.of(
              array.dup().reshape(array.length()).castTo(DataType.DOUBLE).toDoubleVector())
          .boxed()
          .toList();
    }

    void requireSameAs(Outcome other) {
      assertThat(parameters).isEqualTo(other.parameters);
      assertThat(updaterState).isEqualTo(other.updaterState);
      assertThat(rootState).isEqualTo(other.rootState);
      assertThat(nodeState).isEqualTo(other.nodeState);
    }
  }

  record Case(
      String name,
      IUpdater updater,
      DataType type,
      int outputs,
      UnaryOperator<NeuralNetConfiguration.Builder> change) {
    MultiLayerNetwork network() {
      return Networks.regression(
          change.apply(Networks.configuration(updater.clone(), type)), 3, 5, outputs);
    }

    DataSet data() {
      return Networks.data(5, EXAMPLES, 3, outputs, type);
    }

    @Override
    public String toString() {
      return name + ", K = " + outputs + ", " + type;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(DataType.DOUBLE, DataType.FLOAT)
        .flatMap(type -> Stream.of(1, 3).flatMap(outputs -> cases(type, outputs)));
  }

  private static Stream<Case> cases(DataType type, int outputs) {
    return Stream.of(
        new Case("Sgd", new Sgd(0.05), type, outputs, c -> c),
        new Case("Nesterovs", new Nesterovs(0.02, 0.9), type, outputs, c -> c),
        new Case("dropout", new Nesterovs(0.02, 0.5), type, outputs, c -> c.dropOut(0.7)),
        new Case(
            "weight noise", new Sgd(0.05), type, outputs, c -> c.weightNoise(new DropConnect(0.8))),
        new Case(
            "no workspaces",
            new Sgd(0.05),
            type,
            outputs,
            c ->
                c.trainingWorkspaceMode(WorkspaceMode.NONE)
                    .inferenceWorkspaceMode(WorkspaceMode.NONE)
                    .dropOut(0.7)),
        new Case("Adam", new Adam(0.01), type, outputs, c -> c.dropOut(0.7)),
        new Case("AdaDelta", new AdaDelta(), type, outputs, c -> c),
        new Case("Adam, l2", new Adam(0.01), type, outputs, c -> c.l2(0.1).dropOut(0.7)),
        new Case(
            "normalised",
            new Adam(0.01),
            type,
            outputs,
            c -> c.gradientNormalization(GradientNormalization.RenormalizeL2PerLayer)),
        new Case(
            "normalised, Sgd",
            new Sgd(0.01),
            type,
            outputs,
            c -> c.gradientNormalization(GradientNormalization.RenormalizeL2PerParamType)),
        new Case("l1", new Sgd(0.05), type, outputs, c -> c.l1(0.01)),
        new Case(
            "max norm",
            new Nesterovs(0.02, 0.9),
            type,
            outputs,
            c -> c.constrainWeights(new MaxNormConstraint(0.8, 1)).dropOut(0.7)),
        new Case(
            "max norm, reached",
            new Sgd(0.05),
            type,
            outputs,
            c -> c.constrainWeights(new MaxNormConstraint(0.3, 1))),
        new Case(
            "observed",
            new Sgd(0.01),
            type,
            outputs,
            c -> c.optimizationAlgo(OptimizationAlgorithm.CONJUGATE_GRADIENT)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void trainingIsBitIdentical(Case test) {
    Outcome undisturbed = train(test, null);
    LyapunovListener listener = listener(test, b -> b);
    train(test, listener).requireSameAs(undisturbed);
    assertThat(listener.isOff()).isFalse();
    assertThat(listener.failures()).isZero();
    assertThat(listener.history()).hasSize(2 * EXAMPLES / BATCH);
  }

  record Fault(String name, UnaryOperator<LyapunovListener.Builder> inject) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Fault> faults() {
    SimpleMeterRegistry closed = new SimpleMeterRegistry();
    closed.close();
    return Stream.of(
        new Fault("consumer throws", b -> b.to(failing(new IllegalStateException("full disk")))),
        new Fault("consumer out of memory", b -> b.to(failing(new OutOfMemoryError("injected")))),
        new Fault(
            "snapshot out of memory", b -> b.clock(failingClock(new OutOfMemoryError("injected")))),
        new Fault(
            "snapshot overflows the stack", b -> b.clock(failingClock(new StackOverflowError()))),
        new Fault("registry closed", b -> b.registry(closed).run("closed")),
        new Fault("probe of another shape", b -> otherProbe()));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void trainingIsBitIdenticalWhenThisFails(Fault fault) {
    Case test =
        new Case("dropout", new Nesterovs(0.02, 0.5), DataType.DOUBLE, 3, c -> c.dropOut(0.7));
    Outcome undisturbed = train(test, null);
    LyapunovListener listener = listener(test, fault.inject());
    train(test, listener).requireSameAs(undisturbed);
    if (!fault.name().equals("registry closed")) {
      assertThat(listener.failures() > 0 || listener.isOff()).isTrue();
    }
  }

  /** The iterator makes its mini-batches in the workspace of a thread that fetches in advance. */
  @ParameterizedTest
  @MethodSource("casesWithDropout")
  void trainingIsBitIdenticalWhileItsOrderIsObserved(Case test) {
    Outcome undisturbed = trainEpochs(test, null);
    LyapunovListener listener = listener(test, b -> b);
    trainEpochs(test, listener).requireSameAs(undisturbed);
    assertThat(listener.failures()).isZero();
    assertThat(listener.history().get(listener.history().size() - 1).step().remarks())
        .contains("sampling as observed: the same order every epoch; seen in two epochs");
  }

  static Stream<Case> casesWithDropout() {
    return cases(DataType.FLOAT, 3)
        .filter(test -> List.of("dropout", "no workspaces").contains(test.name()));
  }

  private static Outcome trainEpochs(Case test, LyapunovListener listener) {
    MultiLayerNetwork network = test.network();
    Nd4j.getRandom().setSeed(77);
    if (listener != null) {
      network.setListeners(listener);
    }
    network.fit(new ListDataSetIterator<>(test.data().asList(), BATCH), 3);
    return Outcome.of(network);
  }

  @Test
  void trainingIsBitIdenticalWithParametersThatAreNotNumbers() {
    Case test = new Case("NaN", new Sgd(0.05), DataType.DOUBLE, 3, c -> c);
    Consumer<MultiLayerNetwork> poison = network -> network.params().putScalar(0, Double.NaN);
    Outcome undisturbed = train(test, null, poison);
    LyapunovListener listener = listener(test, b -> b);
    train(test, listener, poison).requireSameAs(undisturbed);
    assertThat(listener.failures()).isEqualTo(2 * EXAMPLES / BATCH);
    assertThat(listener.isOff()).isFalse();
  }

  @Test
  void trainingIsBitIdenticalInAnInterruptedThread() {
    Case test = new Case("interrupted", new Sgd(0.05), DataType.DOUBLE, 3, c -> c);
    Outcome undisturbed = train(test, null);
    LyapunovListener listener = listener(test, b -> b);
    Outcome outcome;
    try {
      outcome = train(test, listener, network -> Thread.currentThread().interrupt());
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    outcome.requireSameAs(undisturbed);
  }

  @Test
  void theProbeIsCopied() {
    Case test = new Case("probe", new Sgd(0.05), DataType.DOUBLE, 1, c -> c);
    DataSet probe = test.data();
    LyapunovListener listener = listener(probe, b -> b);
    LyapunovListener reference = listener(test, b -> b);
    probe.getFeatures().assign(0);
    train(test, listener);
    train(test, reference);
    assertThat(exponents(listener)).isEqualTo(exponents(reference));
  }

  private static List<LyapunovExponent> exponents(LyapunovListener listener) {
    return listener.history().stream().map(c -> c.stability().exponent()).toList();
  }

  private static LyapunovListener listener(
      Case test, UnaryOperator<LyapunovListener.Builder> change) {
    return listener(test.data(), change);
  }

  private static LyapunovListener listener(
      DataSet probe, UnaryOperator<LyapunovListener.Builder> change) {
    return change
        .apply(
            LyapunovListener.builder(probe)
                .settings(
                    AnalysisSettings.standard()
                        .withSeed(7)
                        .withAnalyzer(settings -> settings.maxEpochs(16)))
                .frequency(1))
        .build();
  }

  private static LyapunovListener.Builder otherProbe() {
    return LyapunovListener.builder(Networks.data(9, 6, 4, 3, DataType.DOUBLE))
        .settings(AnalysisSettings.standard().withSeed(0))
        .frequency(1);
  }

  private static CheckpointSink failing(Throwable failure) {
    return IsolationTest.<Checkpoint>thrower(failure)::accept;
  }

  private static <T> Consumer<T> thrower(Throwable failure) {
    return value -> sneakyThrow(failure);
  }

  private static InstantSource failingClock(Throwable failure) {
    return () -> {
      sneakyThrow(failure);
      return null;
    };
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneakyThrow(Throwable failure) throws E {
    throw (E) failure;
  }

  private static Outcome train(Case test, LyapunovListener listener) {
    return train(test, listener, network -> {});
  }

  private static Outcome train(
      Case test, LyapunovListener listener, Consumer<MultiLayerNetwork> prepare) {
    MultiLayerNetwork network = test.network();
    List<DataSet> batches = test.data().batchBy(BATCH);
    Nd4j.getRandom().setSeed(77);
    if (listener != null) {
      network.setListeners(listener);
    }
    prepare.accept(network);
    for (int epoch = 0; epoch < 2; epoch++) {
      batches.forEach(network::fit);
    }
    return Outcome.of(network);
  }

  @Test
  void theComparisonNoticesADisturbance() {
    Case test = new Case("control", new Sgd(0.05), DataType.DOUBLE, 1, c -> c.dropOut(0.7));
    Outcome undisturbed = train(test, null);
    MultiLayerNetwork network = test.network();
    Nd4j.getRandom().setSeed(77);
    network.fit(test.data());
    Outcome other = Outcome.of(network);
    assertThat(other.parameters).isNotEqualTo(undisturbed.parameters);
    assertThat(undisturbed.rootState == other.rootState && undisturbed.nodeState == other.nodeState)
        .isFalse();
  }
}
