// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.sun.management.ThreadMXBean;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.assertj.core.groups.Tuple;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.metrics.MetricsSink;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class LyapunovListenerTest {
  private static final int EXAMPLES = 12;
  private static final AnalysisSettings QUICK =
      AnalysisSettings.standard().withSeed(7).withAnalyzer(analyzer -> analyzer.maxEpochs(16));

  private final DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);

  @Test
  void isBuiltAsDeeplearning4jListenersAre() {
    assertThat(LyapunovListener.builder(data).build())
        .hasToString("LyapunovListener(every 100 iterations)");
    assertThat(LyapunovListener.builder(data).frequency(7).build())
        .hasToString("LyapunovListener(every 7 iterations)");
    assertThat(LyapunovListener.builder(data).frequency(3).build())
        .hasToString("LyapunovListener(every 3 iterations)");
    assertThat(LyapunovListener.builder(data).run("digits").build().run()).isEqualTo("digits");
    assertThat(LyapunovListener.builder(data).build().run())
        .isNotEqualTo(LyapunovListener.builder(data).build().run());
  }

  @Test
  void refusesNonsenseAtOnce() {
    LyapunovListener.Builder builder = LyapunovListener.builder(data);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.frequency(0))
        .withMessage("frequency must be at least 1, got 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AnalysisSettings.standard().withBatchSize(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> builder.historySize(0));
    assertThatIllegalArgumentException().isThrownBy(() -> builder.run(" "));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LyapunovListener.builder(new DataSet(data.getFeatures(), null)));
  }

  @Test
  void deliversACheckpointEverySoManyIterations() {
    List<Checkpoint> delivered = new ArrayList<>();
    Instant time = Instant.parse("2026-01-01T00:00:00Z");
    LyapunovListener listener =
        quick().frequency(2).run("a").clock(() -> time).to(delivered::add).build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    List<Double> scores = new ArrayList<>();
    for (DataSet batch : batches(4)) {
      network.fit(batch);
      scores.add(network.score());
    }
    assertThat(delivered).extracting(Checkpoint::iteration).containsExactly(0, 2);
    assertThat(delivered)
        .extracting(Checkpoint::loss)
        .containsExactly(scores.get(0), scores.get(2));
    assertThat(listener.history()).isEqualTo(delivered);
    Checkpoint first = delivered.get(0);
    assertThat(first.run()).isEqualTo("a");
    assertThat(first.time()).isEqualTo(time);
    assertThat(first.step().sgd().learningRate()).isEqualTo(0.05);
    assertThat(first.step().sgd().batchSize()).isEqualTo(4);
    assertThat(first.stability().examples()).isEqualTo(EXAMPLES);
    assertThat(first.stability().outputs()).isEqualTo(2);
    assertThat(first.toString())
        .startsWith("iteration 0: η/η_c = ")
        .contains("loss ", "λ ", "μ ", "nats/step, η·sharpness/2 = ");
  }

  @Test
  void aBatchLargerThanTheProbeIsDrawnFromItWithReplacementAndSaysSo() {
    LyapunovListener listener =
        train(quick().settings(QUICK.withBatchSize(100)).build(), new Sgd(0.05), 4);
    Checkpoint checkpoint = listener.history().get(0);
    assertThat(checkpoint.step().sgd())
        .isEqualTo(SgdStep.of(0.05, 100).withSampling(MiniBatchSampling.IID_WITH_REPLACEMENT));
    assertThat(checkpoint.step().remarks())
        .anyMatch(remark -> remark.contains("larger than the probe's " + EXAMPLES))
        .noneMatch(remark -> remark.contains("sampling"));
    assertThat(checkpoint.smallerProbes())
        .allMatch(half -> half.step().equals(checkpoint.step().sgd()));
  }

  @Test
  void takesTheRateInForceAtTheStepJustMade() {
    MapSchedule schedule = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.1, 1, 0.02));
    LyapunovListener listener = train(quick().build(), new Sgd(schedule), 6);
    assertThat(listener.history())
        .extracting(c -> c.step().sgd().learningRate())
        .containsExactly(0.1, 0.02);
  }

  /** The linear network squares its weights at every step, until they are no numbers any more. */
  @Test
  void aCheckpointOfADivergedNetworkSaysSo() {
    List<String> failures = new ArrayList<>();
    for (int step = 1; step < 16; step++) {
      LyapunovListener listener = quick().strict(true).settings(QUICK.withTier(Tier.FULL)).build();
      MultiLayerNetwork network = network(new Sgd(0.05));
      network.params().muli(Math.pow(10, step * step * 1.5));
      network.setListeners(listener);
      try {
        network.fit(batches(4).get(0));
      } catch (RuntimeException e) {
        failures.add(e.getMessage());
      }
      for (Checkpoint checkpoint : listener.history()) {
        assertThat(checkpoint.stability().sharpness()).isFinite();
        assertThat(checkpoint.stability().exponent().high()).isNotNaN();
      }
      listener.close();
    }
    assertThat(failures).isNotEmpty().allMatch(line -> line.contains("diverged"));
  }

  @Test
  void parametersThatAreNoNumbersAreSaidToHaveDiverged() {
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.params().putScalar(0, Double.NaN);
    LyapunovListener listener = quick().strict(true).build();
    network.setListeners(listener);
    assertThatThrownBy(() -> network.fit(batches(4).get(0)))
        .hasMessageContaining("the network has diverged by iteration 0: its parameters must be")
        .hasMessageContaining("lower the learning rate, now 0.05");
  }

  /** Everything that reads a checkpoint takes one at learning rate 0. */
  @ParameterizedTest
  @EnumSource(Tier.class)
  void aScheduleMayStartAndEndAtRateZero(Tier tier) {
    MapSchedule schedule = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.0, 1, 0.05, 2, 0.0));
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    LyapunovListener listener =
        quick()
            .strict(true)
            .settings(QUICK.withTier(tier).withComparison(SizeComparison.SAME_TIER))
            .trajectory(true)
            .intervene(LearningRateControl.lowerTo(0.5))
            .registry(registry)
            .build();
    train(listener, new Sgd(schedule), 4);
    assertThat(listener.failures()).isZero();
    assertThat(listener.history())
        .extracting(c -> c.step().sgd().learningRate())
        .containsExactly(0.0, 0.05, 0.0);
    for (int i = 0; i <= 2; i += 2) {
      Checkpoint checkpoint = listener.history().get(i);
      assertThat(checkpoint.stability().exponent()).isEqualTo(new ExactExponent(0));
      assertThat(checkpoint.stability().gdExponent()).isEqualTo(new ExactExponent(0));
      assertThat(checkpoint.stability().verdict().kind()).isEqualTo(Verdict.Kind.INCONCLUSIVE);
      assertThat(checkpoint.step().remarks()).anyMatch(r -> r.contains("learning rate is 0"));
    }
    assertThat(registry.get("lyapunov.exponent").gauge().value()).isZero();
    assertThat(registry.get("lyapunov.verdict").gauge().value()).isEqualTo(-1);
    if (tier != Tier.ECONOMY) {
      assertThat(registry.get("lyapunov.edge.ratio").gauge().value()).isZero();
    }
    listener.close();
  }

  @Test
  void takesTheBatchSizeFromTraining() {
    LyapunovListener listener = train(quick().build(), new Sgd(0.05), 5);
    assertThat(listener.history()).extracting(c -> c.step().sgd().batchSize()).containsOnly(5);
  }

  @Test
  void anExplicitBatchSizeAndSamplingWin() {
    LyapunovListener listener =
        train(
            quick()
                .settings(QUICK.withBatchSize(3).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS))
                .build(),
            new Sgd(0.05),
            6);
    assertThat(listener.history()).extracting(c -> c.step().sgd().batchSize()).containsOnly(3);
    assertThat(listener.history())
        .extracting(c -> c.step().sgd().sampling())
        .containsOnly(MiniBatchSampling.SHUFFLED_EPOCHS);
  }

  @Test
  void equalSeedsGiveEqualCheckpoints() {
    List<Checkpoint> first = train(quick().build(), new Sgd(0.05), 4).history();
    List<Checkpoint> second = train(quick().build(), new Sgd(0.05), 4).history();
    assertThat(first).hasSize(3);
    assertThat(second)
        .extracting(c -> c.stability().exponent())
        .isEqualTo(first.stream().map(c -> c.stability().exponent()).toList());
  }

  @Test
  void theHistoryKeepsTheLatest() {
    LyapunovListener listener = train(quick().historySize(2).build(), new Sgd(0.05), 4);
    assertThat(listener.history()).extracting(Checkpoint::iteration).containsExactly(1, 2);
  }

  /** The truth is the Gram matrix computed for the smaller probe itself. */
  @Test
  void comparesProbeSizes() {
    LyapunovListener listener =
        train(
            quick().settings(QUICK.withComparison(SizeComparison.SAME_TIER)).build(),
            new Sgd(0.05),
            6);
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.fit(batches(6).get(0));
    Checkpoint checkpoint = listener.history().get(0);
    assertThat(checkpoint.smallerProbes()).hasSize(2);
    int[] order = new int[EXAMPLES];
    new MiniBatchSampler(
            EXAMPLES,
            EXAMPLES,
            MiniBatchSampling.SHUFFLED_EPOCHS,
            new RandomStream(QUICK.seed()).split(0x70617274))
        .next(order);
    for (int divisor : new int[] {4, 2}) {
      int examples = EXAMPLES / divisor;
      int[] rows = Arrays.stream(order).limit(examples).sorted().toArray();
      DataSet part = new DataSet(data.getFeatures().getRows(rows), data.getLabels().getRows(rows));
      StabilityReport report = checkpoint.smallerProbes().get(divisor == 4 ? 0 : 1);
      assertThat(report.examples()).isEqualTo(examples);
      assertThat(report.step().batchSize()).isEqualTo(6);
      assertThat(report.step().sampling())
          .isEqualTo(
              examples < 6
                  ? MiniBatchSampling.IID_WITH_REPLACEMENT
                  : MiniBatchSampling.IID_SUBSETS);
      assertThat(report.sharpness()).isCloseTo(sharpness(network, part), within(1e-9));
    }
    assertThat(checkpoint.probeChange())
        .isCloseTo(
            Math.abs(
                1
                    - checkpoint.smallerProbes().get(1).sharpness()
                        / checkpoint.stability().sharpness()),
            within(1e-12));
  }

  @Test
  void comparesSharpnessAndExponentOfSmallerProbesByDefault() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Checkpoint checkpoint =
        train(quick().registry(registry).build(), new Sgd(0.05), 4).history().get(2);
    StabilityReport half = checkpoint.smallerProbes().get(1);
    assertThat(checkpoint.smallerProbes()).extracting(r -> r.examples()).containsExactly(3, 6);
    assertThat(half.criticalLearningRate()).isEmpty();
    assertThat(checkpoint.probeExponentChange())
        .isEqualTo(point(checkpoint.stability()) - point(half))
        .isNotZero();
    assertThat(checkpoint.probeCriticalLearningRateChange()).isNaN();
    assertThat(registry.get("lyapunov.probe.exponent.change").gauge().value())
        .isEqualTo(checkpoint.probeExponentChange());
    assertThat(
            train(
                    quick().settings(QUICK.withComparison(SizeComparison.NONE)).build(),
                    new Sgd(0.05),
                    4)
                .history()
                .get(0)
                .smallerProbes())
        .isEmpty();
  }

  @Test
  void theWholeComparisonHasTheCriticalLearningRate() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Checkpoint checkpoint =
        train(
                quick()
                    .settings(QUICK.withComparison(SizeComparison.SAME_TIER))
                    .registry(registry)
                    .build(),
                new Sgd(0.05),
                6)
            .history()
            .get(1);
    double half = checkpoint.smallerProbes().get(1).criticalLearningRate().orElseThrow().value();
    double whole = checkpoint.stability().criticalLearningRate().orElseThrow().value();
    assertThat(checkpoint.probeCriticalLearningRateChange())
        .isEqualTo(Math.abs(1 - half / whole))
        .isPositive();
    assertThat(registry.get("lyapunov.probe.critical.learning.rate.change").gauge().value())
        .isEqualTo(checkpoint.probeCriticalLearningRateChange());
  }

  @Test
  void exponentsOfDifferentBatchSizesAreNotCompared() {
    Checkpoint checkpoint =
        train(
                quick().settings(QUICK.withComparison(SizeComparison.SAME_TIER)).build(),
                new Sgd(0.05),
                12)
            .history()
            .get(0);
    assertThat(checkpoint.probeChange()).isPositive();
    assertThat(checkpoint.probeExponentChange()).isNaN();
    assertThat(checkpoint.probeCriticalLearningRateChange()).isNaN();
  }

  @Test
  void tinyProbesAreNotCompared() {
    DataSet tiny = Networks.data(5, 7, 3, 2, DataType.DOUBLE);
    LyapunovListener listener =
        LyapunovListener.builder(tiny)
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(1)
            .build();
    assertThat(train(listener, new Sgd(0.05), 6).history().get(0).smallerProbes()).isEmpty();
  }

  @Test
  void theStepTellsWhatTrainingSawAndWhatTheProbeIs() {
    LyapunovListener listener =
        LyapunovListener.builder(Networks.data(9, 10, 3, 2, DataType.DOUBLE))
            .schedule(Schedule.everyEpochs(1).or(Schedule.everyIterations(100)))
            .build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    network.fit(new ListDataSetIterator<>(batches(5), 1), 2);
    assertThat(listener.history().get(0).step().remarks())
        .containsExactly(
            "sampling assumed: independent uniform B-subsets; the end of the second epoch will"
                + " tell",
            "mini-batches seen were of 5");
    assertThat(listener.history().get(2).step().remarks())
        .containsExactly(
            "sampling as observed: the same order every epoch; seen in two epochs",
            "training saw 12 examples an epoch in 3 mini-batches of 5, the last of 2",
            "the probe has 10 of 12 examples: λ is that of training on the probe");
  }

  @Test
  void theStepTellsWhereTheSamplingIsFrom() {
    LyapunovListener told =
        train(
            quick().settings(QUICK.withSampling(MiniBatchSampling.SHUFFLED_EPOCHS)).build(),
            new Sgd(0.05),
            4);
    assertThat(told.history().get(0).step().toString())
        .contains("sampling as told: reshuffled every epoch");
    LyapunovListener full = quick().build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(full);
    network.fit(new ListDataSetIterator<>(List.of(data), 1), 2);
    assertThat(full.history().get(1).step().remarks())
        .containsExactly(
            "sampling as observed: every step takes the full batch",
            "training saw 12 examples an epoch in one mini-batch");
  }

  @ParameterizedTest
  @EnumSource(
      value = MiniBatchSampling.class,
      names = {"SHUFFLED_EPOCHS", "ORDERED_EPOCHS"})
  void theOrderOfTrainingIsTakenUpAfterTwoEpochs(MiniBatchSampling sampling) {
    LyapunovListener listener = quick().build();
    LyapunovListener told = quick().settings(QUICK.withSampling(sampling)).build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener, told);
    List<DataSet> examples = new ArrayList<>(data.asList());
    Random random = new Random(5);
    for (int epoch = 0; epoch < 3; epoch++) {
      if (sampling == MiniBatchSampling.SHUFFLED_EPOCHS) {
        Collections.shuffle(examples, random);
      }
      network.fit(new ListDataSetIterator<>(examples, 4));
    }
    for (Checkpoint before : listener.history().subList(0, 6)) {
      assertThat(before.step().sgd().sampling()).isEqualTo(MiniBatchSampling.IID_SUBSETS);
      assertThat(before.step().remarks().get(0))
          .startsWith("sampling assumed: ")
          .endsWith("the end of the second epoch will tell");
    }
    for (int i = 6; i < 9; i++) {
      Checkpoint after = listener.history().get(i);
      assertThat(after.step().remarks().get(0))
          .isEqualTo("sampling as observed: " + sampling + "; seen in two epochs");
      // another past of η_c, which is followed from checkpoint to checkpoint
      assertThat(after.stability())
          .usingRecursiveComparison()
          .ignoringFields("criticalLearningRate")
          .isEqualTo(told.history().get(i).stability());
      assertThat(after.stability().edgeRatio().orElseThrow())
          .isCloseTo(
              told.history().get(i).stability().edgeRatio().orElseThrow(), withinPercentage(2));
    }
    assertThat(told.history().get(8).step().remarks().get(0))
        .isEqualTo("sampling as told: " + sampling);
  }

  @Test
  void theOrderOfAGraphIsThatOfItsFirstInput() {
    LyapunovListener listener = quick().frequency(9).build();
    ComputationGraph graph = network(new Sgd(0.05)).toComputationGraph();
    graph.setListeners(listener);
    graph.fit(new ListDataSetIterator<>(data.asList(), 4), 4);
    assertThat(listener.history().get(1).step().sgd().sampling())
        .isEqualTo(MiniBatchSampling.ORDERED_EPOCHS);
  }

  @Test
  void withoutEpochsTheSamplingStaysAssumed() {
    LyapunovListener listener = train(quick().build(), new Sgd(0.05), 4);
    assertThat(listener.history().get(2).step().remarks().get(0))
        .isEqualTo(
            "sampling assumed: independent uniform B-subsets; tell the listener if it is another");
  }

  @Test
  void aProbeOfRepeatedExamplesIsLargeEnough() {
    int[] rows = new int[EXAMPLES];
    DataSet one = new DataSet(data.getFeatures().getRows(rows), data.getLabels().getRows(rows));
    LyapunovListener listener =
        train(
            LyapunovListener.builder(one)
                .settings(
                    AnalysisSettings.standard()
                        .withSeed(0)
                        .withComparison(SizeComparison.SAME_TIER))
                .frequency(1)
                .build(),
            new Sgd(0.05),
            12);
    assertThat(listener.history().get(0).probeChange()).isCloseTo(0, within(1e-9));
  }

  /** Every second example alone has another sharpness by far. */
  @Test
  void halfAProbeWithClassesInTurnHasBothClasses() {
    DataSet turns = Networks.data(9, 40, 3, 2, DataType.DOUBLE);
    for (int i = 0; i < 40; i += 2) {
      turns.getFeatures().getRow(i).muli(1e-3);
      turns.getFeatures().getRow(i + 1).muli(4);
    }
    LyapunovListener listener =
        LyapunovListener.builder(turns)
            .settings(AnalysisSettings.of(Tier.ECONOMY).withBatchSize(4))
            .frequency(1)
            .build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    network.fit(batches(6).get(0));
    int[] seconds = IntStream.range(0, 20).map(i -> 2 * i).toArray();
    DataSet half =
        new DataSet(turns.getFeatures().getRows(seconds), turns.getLabels().getRows(seconds));
    double change = Math.abs(1 - sharpness(network, half) / sharpness(network, turns));
    assertThat(change).isGreaterThan(0.2);
    assertThat(listener.history().get(0).probeChange()).isLessThan(change / 2);
  }

  private static double sharpness(MultiLayerNetwork network, DataSet probe) {
    try (NtkGram ntk = NtkGram.builder(network).probe(probe).build()) {
      return LargestEigenpair.of(ntk.compute(network.params()).gram()).value()
          / probe.numExamples();
    }
  }

  @Test
  void observesAModelWhoseStepItCannotLinearise() {
    LyapunovListener listener = train(quick().build(), searchingAlongLines(), 4);
    assertThat(listener.isOff()).isFalse();
    assertThat(listener.failures()).isZero();
    assertThat(listener.history()).isNotEmpty();
    Checkpoint checkpoint = listener.history().get(0);
    assertThat(checkpoint.level().kind()).isEqualTo(Level.Kind.OBSERVED);
    assertThat(checkpoint.hasStability()).isFalse();
    assertThat(checkpoint.edge()).isEmpty();
    assertThatIllegalStateException()
        .isThrownBy(checkpoint::stability)
        .withMessageContaining("OBSERVED")
        .withMessageContaining("LBFGS");
    assertThat(checkpoint.step().toString()).startsWith("OBSERVED (no λ: ");
    assertThat(checkpoint.toString()).contains("OBSERVED", "sharpness = ").doesNotContain("λ =");
  }

  @Test
  void theSharpnessOfWhatIsObservedIsThatOfItsGramMatrix() {
    LyapunovListener listener = quick().build();
    MultiLayerNetwork network = searchingAlongLines();
    network.setListeners(listener);
    network.fit(data);
    Checkpoint last = listener.history().get(listener.history().size() - 1);
    assertThat(last.findings().measuredSharpness().orElseThrow())
        .isCloseTo(sharpness(network, data), within(1e-9));
    assertThat(last.batchSharpness()).isPresent();
  }

  @ParameterizedTest
  @EnumSource(
      value = LossFunction.class,
      names = {"L1", "MEAN_ABSOLUTE_ERROR", "HINGE", "WASSERSTEIN"})
  void observesThePlainKernelOfALossWithoutCurvature(LossFunction loss) {
    MultiLayerNetwork network =
        Networks.initialise(
            Networks.configuration(new Sgd(0.05), DataType.DOUBLE)
                .list()
                .layer(
                    new OutputLayer.Builder(loss)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build(),
            4);
    LyapunovListener listener = quick().build();
    network.setListeners(listener);
    network.fit(data);
    assertThat(listener.isOff()).isFalse();
    Checkpoint checkpoint = listener.history().get(0);
    assertThat(checkpoint.level().kind()).isEqualTo(Level.Kind.OBSERVED);
    ObservedReport report = (ObservedReport) checkpoint.findings();
    assertThat(report.measuredSharpness()).isEmpty();
    // of outputs that are linear in W and b: K copies of the matrix of [x 1][x 1]'
    INDArray inputs =
        Nd4j.hstack(data.getFeatures(), Nd4j.ones(DataType.DOUBLE, data.numExamples(), 1));
    double largest =
        LargestEigenpair.of(
                GramMatrix.of(
                    inputs.mmul(inputs.transpose()).toDoubleMatrix(), data.numExamples(), 1))
            .value();
    assertThat(report.kernel().orElseThrow()).isCloseTo(largest / data.numExamples(), within(1e-9));
    MultiLayerNetwork again = network.clone();
    again.setListeners(quick().strict(true).build());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> again.fit(data))
        .withMessageContaining("Loss");
  }

  @Test
  void strictThrowsRefusals() {
    LyapunovListener listener = quick().strict(true).build();
    assertThatThrownBy(() -> train(listener, searchingAlongLines(), 4))
        .isInstanceOf(UnsupportedTrainingException.class)
        .hasMessageContaining("LBFGS");
  }

  @Test
  void strictThrowsFailures() {
    IllegalStateException thrown = new IllegalStateException("full disk");
    LyapunovListener listener =
        quick()
            .strict(true)
            .to(
                c -> {
                  throw thrown;
                })
            .build();
    assertThatThrownBy(() -> train(listener, new Sgd(0.05), 4)).isSameAs(thrown);
  }

  @Test
  void oneThrowingConsumerDoesNotStarveTheOthers() {
    List<Checkpoint> delivered = new ArrayList<>();
    LyapunovListener listener =
        quick()
            .to(
                c -> {
                  throw new IllegalStateException();
                })
            .to(delivered::add)
            .build();
    train(listener, new Sgd(0.05), 4);
    assertThat(delivered).hasSize(3);
    assertThat(listener.failures()).isEqualTo(3);
  }

  @Test
  void publishesToMicrometerUntilClosed() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    LyapunovListener listener = train(quick().registry(registry).build(), new Sgd(0.05), 4);
    Checkpoint last = listener.history().get(2);
    assertThat(registry.get("lyapunov.exponent").gauge().value())
        .isEqualTo(point(last.stability()));
    listener.close();
    assertThat(registry.getMeters()).isEmpty();
    train(listener, new Sgd(0.05), 4);
    assertThat(listener.history()).hasSize(3);
    listener.close();
  }

  @Test
  void watchesTheFirstModelOnly() {
    LyapunovListener listener = train(quick().build(), new Sgd(0.05), 4);
    train(listener, new Sgd(0.05), 4);
    assertThat(listener.history()).hasSize(3);
  }

  /**
   * As {@code ParallelWrapper} calls it: one listener, several threads, replicas beside the
   * original.
   */
  @Test
  void watchesTheOriginalAmongReplicasOneAtATime() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    LyapunovListener listener =
        quick()
            .to(
                c -> {
                  most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                  inside.decrementAndGet();
                })
            .build();
    AtomicInteger worker = new AtomicInteger(3);
    ExecutorService workers =
        Executors.newFixedThreadPool(
            4,
            task ->
                new Thread(task, "ParallelWrapper training thread " + worker.getAndDecrement()));
    List<MultiLayerNetwork> models = new ArrayList<>();
    List<Future<?>> running = new ArrayList<>();
    for (int k = 0; k < 4; k++) {
      running.add(
          workers.submit(
              () -> {
                MultiLayerNetwork network = network(new Sgd(0.05));
                network.setListeners(listener);
                if (Thread.currentThread().getName().endsWith(" 0")) {
                  synchronized (models) {
                    models.add(network);
                  }
                }
                batches(3).forEach(network::fit);
              }));
      running.get(k).get();
    }
    workers.shutdown();
    assertThat(models).hasSize(1);
    assertThat(listener.history()).extracting(Checkpoint::iteration).containsExactly(0, 1, 2, 3);
    assertThat(most.get()).isEqualTo(1);
    assertThat(listener.failures()).isZero();
  }

  @Test
  void theBackgroundThreadGivesTheSameResults() {
    List<Tuple> direct = results(train(quick().trajectory(true).build(), new Sgd(0.05), 1));
    List<String> threads = new ArrayList<>();
    LyapunovListener listener =
        quick()
            .run("b")
            .trajectory(true)
            .background(Backlog.WAIT)
            .to(c -> threads.add(Thread.currentThread().getName()))
            .build();
    train(listener, new Sgd(0.05), 1);
    listener.flush();
    assertThat(results(listener)).hasSize(EXAMPLES).isEqualTo(direct);
    assertThat(threads).hasSize(EXAMPLES).containsOnly("lyapunov4j b");
    listener.close();
  }

  private static List<Tuple> results(LyapunovListener listener) {
    return listener.history().stream()
        .map(
            c ->
                Tuple.tuple(
                    c.iteration(),
                    c.loss(),
                    c.probeLoss(),
                    c.step(),
                    c.stability(),
                    c.batchSharpness(),
                    c.trajectory()))
        .toList();
  }

  @Test
  void theBackgroundThreadSkipsWhatItCannotKeepUpWith() throws Exception {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    CountDownLatch training = new CountDownLatch(1);
    LyapunovListener listener =
        quick().registry(registry).background(Backlog.SKIP).to(c -> await(training)).build();
    train(listener, new Sgd(0.05), 1);
    assertThat(registry.get(MetricsSink.SKIPPED).counter().count()).isEqualTo(EXAMPLES - 2);
    training.countDown();
    listener.close();
    assertThat(listener.history()).extracting(Checkpoint::iteration).containsExactly(0, 1);
    requireThreadEnds("lyapunov4j " + listener.run());
  }

  @Test
  void closingFlushesAndThenLosesPatience() {
    CountDownLatch never = new CountDownLatch(1);
    LyapunovListener listener =
        quick()
            .background(Backlog.WAIT)
            .patience(Duration.ofMillis(100))
            .to(c -> await(never))
            .build();
    train(listener, new Sgd(0.05), 12);
    listener.close();
    assertThat(listener.isOff()).isTrue();
  }

  @Test
  void strictThrowsWhatFailedInTheBackgroundAtTheNextIteration() {
    IllegalStateException thrown = new IllegalStateException("full disk");
    LyapunovListener listener =
        quick()
            .strict(true)
            .background(Backlog.WAIT)
            .to(
                c -> {
                  throw thrown;
                })
            .build();
    assertThatThrownBy(
            () -> {
              MultiLayerNetwork network = network(new Sgd(0.05));
              network.setListeners(listener);
              network.fit(data);
              listener.flush();
              network.fit(data);
            })
        .isSameAs(thrown);
    listener.close();
  }

  @Test
  void tiersHaveSchedulesOfTheirOwnAndTheDearestWins() {
    LyapunovListener listener =
        quick()
            .schedule(Schedule.everyIterations(4))
            .also(Tier.ECONOMY, Schedule.everyIterations(2))
            .also(Tier.FULL, Schedule.everyIterations(6))
            .build();
    train(listener, new Sgd(0.05), 1);
    assertThat(listener.history())
        .extracting(Checkpoint::iteration, Checkpoint::tier)
        .containsExactly(
            Tuple.tuple(0, Tier.FULL),
            Tuple.tuple(2, Tier.ECONOMY),
            Tuple.tuple(4, Tier.STANDARD),
            Tuple.tuple(6, Tier.FULL),
            Tuple.tuple(8, Tier.STANDARD),
            Tuple.tuple(10, Tier.ECONOMY));
    assertThat(listener.history().get(1).stability().criticalLearningRate()).isEmpty();
    assertThat(listener.history().get(2).stability().criticalLearningRate()).isPresent();
    assertThat(listener)
        .hasToString(
            "LyapunovListener(economy every 2 iterations, standard every 4 iterations, full every 6"
                + " iterations)");
  }

  @Test
  void oneTierCannotHaveTwoSchedules() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> quick().also(Tier.STANDARD, Schedule.onRequest()).build())
        .withMessageContaining("another tier than the main one, got STANDARD");
  }

  @Test
  void aRequestIsMetAtTheNextIterationWhateverTheBudget() {
    LyapunovListener listener = quick().schedule(Schedule.onRequest()).budget(1e-9).build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    network.fit(data);
    listener.requestCheckpoint();
    listener.requestCheckpoint();
    network.fit(data);
    network.fit(data);
    listener.requestCheckpoint();
    network.fit(data);
    assertThat(listener.history()).extracting(Checkpoint::iteration).containsExactly(1, 3);
  }

  /**
   * A step takes 1, a consumer or a failure 10, everything else no time: at half, 20 steps of rest.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theBudgetCountsDeliveryAndFailure(boolean fails) {
    AtomicLong time = new AtomicLong();
    List<Long> begun = new ArrayList<>();
    LyapunovListener listener =
        quick()
            .budget(0.5)
            .nanoseconds(time::get)
            .to(checkpoint -> time.addAndGet(10))
            .atEachStage(
                stage -> {
                  if (stage == Stage.SNAPSHOT) {
                    begun.add(time.get());
                    if (fails) {
                      time.addAndGet(10);
                      throw new IllegalStateException("injected");
                    }
                  }
                })
            .build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    for (int t = 0; t < 50; t++) {
      network.fit(data);
      time.addAndGet(1);
    }
    assertThat(begun).containsExactly(0L, 30L, 60L);
    assertThat(listener.skipped()).isEqualTo(47);
  }

  @Test
  void epochsEndWithACheckpointAndNoneIsComputedTwice() {
    LyapunovListener listener =
        quick().schedule(Schedule.everyEpochs(2).or(Schedule.everyIterations(5))).build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    network.fit(new ListDataSetIterator<>(batches(4), 1), 4);
    assertThat(listener.history())
        .extracting(Checkpoint::iteration, Checkpoint::epoch)
        .containsExactly(
            Tuple.tuple(0, 0), Tuple.tuple(5, 1), Tuple.tuple(10, 3), Tuple.tuple(11, 3));
  }

  @Test
  void aLossSpikeIsLookedAt() {
    LyapunovListener listener = quick().schedule(Schedule.onLossSpike()).build();
    MultiLayerNetwork network = network(new Sgd(1e-6));
    network.setListeners(listener);
    DataSet outlier = new DataSet(data.getFeatures(), data.getLabels().add(10));
    for (int t = 0; t < 100; t++) {
      network.fit(t == 80 ? outlier : data);
    }
    assertThat(listener.history()).extracting(Checkpoint::iteration).containsExactly(80);
  }

  @Test
  void aCheckpointBeyondItsTimeLimitIsCancelled() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    LyapunovListener listener = quick().registry(registry).timeLimit(Duration.ofNanos(1)).build();
    train(listener, new Sgd(0.05), 4);
    assertThat(listener.history()).isEmpty();
    assertThat(listener.cancelled()).isEqualTo(3);
    assertThat(listener.failures()).isZero();
    assertThat(registry.get(MetricsSink.CANCELLED).counter().count()).isEqualTo(3);
    assertThatIllegalArgumentException().isThrownBy(() -> quick().timeLimit(Duration.ZERO));
  }

  @Test
  void aConsumerMayFlushAndClose() {
    for (boolean background : new boolean[] {false, true}) {
      List<LyapunovListener> self = new ArrayList<>();
      LyapunovListener.Builder builder =
          quick()
              .to(
                  c -> {
                    self.get(0).flush();
                    self.get(0).close();
                  });
      LyapunovListener listener =
          background ? builder.background(Backlog.WAIT).build() : builder.build();
      self.add(listener);
      train(listener, new Sgd(0.05), 1);
      listener.close();
      assertThat(listener.isOff()).isTrue();
      assertThat(listener.failures()).isZero();
      assertThat(listener.history()).isNotEmpty();
    }
  }

  /** What the training thread waits for is given up when the listener is closed. */
  @Test
  void closingAbandonsWhatWaits() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch inside = new CountDownLatch(1);
    LyapunovListener listener =
        quick()
            .background(Backlog.SKIP)
            .patience(Duration.ofMillis(10))
            .to(
                c -> {
                  inside.countDown();
                  await(never);
                })
            .build();
    train(listener, new Sgd(0.05), 1);
    inside.await();
    listener.close();
    listener.flush();
    assertThat(listener.history()).hasSize(1);
    requireThreadEnds("lyapunov4j " + listener.run());
  }

  /** The truth is Deeplearning4j's own gradients of all mini-batches. */
  @Test
  void batchSharpnessIsThatOfTheGradients() {
    LyapunovListener listener =
        train(quick().settings(QUICK.withBatchSize(1)).build(), new Sgd(0.05), 12);
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.fit(data);
    double ratios = 0;
    double curvature = 0;
    double square = 0;
    for (DataSet single : data.asList()) {
      INDArray gradient =
          network
              .calculateGradients(single.getFeatures(), single.getLabels(), null, null)
              .getFirst()
              .gradient()
              .reshape(network.numParams());
      double squared = Math.pow(gradient.norm2Number().doubleValue(), 2);
      double along = curvatureAlong(network, single, gradient);
      ratios += along / squared / EXAMPLES;
      curvature += along;
      square += squared;
    }
    BatchSharpness found = listener.history().get(0).batchSharpness().orElseThrow();
    assertThat(found.meanOfRatios().value())
        .isCloseTo(ratios, within(4 * found.meanOfRatios().standardError()));
    assertThat(found.ratioOfMeans().value())
        .isCloseTo(curvature / square, within(4 * found.ratioOfMeans().standardError()));
    assertThat(found.meanOfRatios().standardError()).isLessThan(0.2 * ratios);
  }

  /** gᵀJᵀHJg, the Jacobian along g by central differences; H = 2/K for the mean of squares. */
  private static double curvatureAlong(MultiLayerNetwork network, DataSet single, INDArray g) {
    double h = 1e-5;
    MultiLayerNetwork moved = network(new Sgd(0.05));
    moved.setParams(network.params().add(g.mul(h)));
    INDArray up = moved.output(single.getFeatures());
    moved.setParams(network.params().sub(g.mul(h)));
    INDArray difference = up.sub(moved.output(single.getFeatures())).div(2 * h);
    return Math.pow(difference.norm2Number().doubleValue(), 2) * 2 / difference.length();
  }

  @Test
  void theProbesLossIsDeeplearning4jsScore() {
    LyapunovListener listener = train(quick().build(), new Sgd(0.05), 12);
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.fit(data);
    assertThat(listener.history().get(0).probeLoss()).isCloseTo(network.score(data), within(1e-12));
  }

  @Test
  void aTightBudgetSkipsCheckpoints() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    LyapunovListener listener =
        train(quick().registry(registry).budget(1e-9).build(), new Sgd(0.05), 1);
    assertThat(listener.history()).extracting(Checkpoint::iteration).containsExactly(0);
    assertThat(registry.get(MetricsSink.SKIPPED).counter().count()).isEqualTo(EXAMPLES - 1);
  }

  private static void requireThreadEnds(String name) throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals(name)) {
        thread.join(5_000);
        assertThat(thread.isAlive()).isFalse();
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void allocatesNothingWhenNothingIsDue() {
    LyapunovListener listener = quick().frequency(1_000_000).build();
    MultiLayerNetwork network = network(new Sgd(0.05));
    network.setListeners(listener);
    network.fit(data);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = 1; i < 20_000; i++) {
      listener.iterationDone(network, i, 0);
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 20_000; i < 30_000; i++) {
      listener.iterationDone(network, i, 0);
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated / 10_000).as("bytes per call").isZero();
  }

  private LyapunovListener.Builder quick() {
    return LyapunovListener.builder(data).settings(QUICK).frequency(1);
  }

  private List<DataSet> batches(int size) {
    return data.batchBy(size);
  }

  private LyapunovListener train(LyapunovListener listener, IUpdater updater, int batchSize) {
    return train(listener, network(updater), batchSize);
  }

  private LyapunovListener train(
      LyapunovListener listener, MultiLayerNetwork network, int batchSize) {
    network.setListeners(listener);
    batches(batchSize).forEach(network::fit);
    return listener;
  }

  private static MultiLayerNetwork searchingAlongLines() {
    return Networks.regression(
        Networks.configuration(new Sgd(0.05), DataType.DOUBLE)
            .optimizationAlgo(OptimizationAlgorithm.LBFGS),
        3,
        5,
        2);
  }

  private static MultiLayerNetwork network(IUpdater updater) {
    return Networks.regression(Networks.configuration(updater, DataType.DOUBLE), 3, 5, 2);
  }

  private static double point(StabilityReport report) {
    return report.exponent().point().orElseThrow();
  }
}
