// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.BaseActivationFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMSLE;
import org.nd4j.linalg.ops.transforms.Transforms;

/** As {@link IsolationTest}, for other models, other ways to train, and the background thread. */
class IsolationOfModelsTest {
  private static final int EXAMPLES = 12;
  private static final int BATCH = 4;

  record Case(String name, Supplier<Model> model, List<DataSet> batches) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case("graph with a skip connection", IsolationOfModelsTest::graph, table()),
        new Case("batch norm", IsolationOfModelsTest::batchNorm, table()),
        new Case("transfer learning", IsolationOfModelsTest::transferred, table()),
        new Case("masked series", () -> series(BackpropType.Standard), masked()),
        new Case("truncated series", () -> series(BackpropType.TruncatedBPTT), masked()),
        new Case("attention", IsolationOfModelsTest::attention, masked()),
        new Case(
            "vertex that draws, through Nd4j.linspace",
            IsolationOfModelsTest::lastStep,
            maskedFeatures()),
        new Case("activation that draws", IsolationOfModelsTest::drawing, table()),
        new Case("YOLO", IsolationOfModelsTest::yolo, boxes()),
        new Case(
            "custom loss",
            () -> endingIn(new NumericCurvatureTest.LogCosh(), Activation.IDENTITY),
            table()),
        new Case("MSLE", () -> endingIn(new LossMSLE(), Activation.SOFTPLUS), positive()),
        new Case("centre loss", IsolationOfModelsTest::centreLoss, kinds()));
  }

  /** Draws from the generator of its thread, at random as often as normal. */
  static final class DrawingActivation extends BaseActivationFunction {
    private static final long serialVersionUID = 1;

    @Override
    public INDArray getActivation(INDArray in, boolean training) {
      in.muli(0.9 + 0.01 * Nd4j.rand(DataType.DOUBLE, 1).getDouble(0));
      return in.muli(1 + 0.01 * Nd4j.getRandom().nextGaussian());
    }

    @Override
    public Pair<INDArray, INDArray> backprop(INDArray in, INDArray epsilon) {
      return new Pair<>(epsilon.mul(0.9), null);
    }
  }

  @Test
  void anAnalysisLeavesTheGeneratorAsItWas() {
    for (Case test : List.of(named("vertex that draws"), named("activation that draws"))) {
      Model model = test.model().get();
      seedGenerator();
      Nd4j.getRandom().nextGaussian();
      List<Object> before = outcome(model);
      seedGenerator();
      Nd4j.getRandom().nextGaussian();
      StabilityAnalysis.of(
              model,
              DataSet.merge(test.batches()),
              AnalysisSettings.standard().withSeed(0).withBatchSize(BATCH))
          .run();
      assertThat(outcome(model)).isEqualTo(before);
    }
  }

  @Test
  void whatAModelDrawsInACheckpointIsTheSameInBothThreads() {
    Case test = named("activation that draws");
    LyapunovListener direct = builder(test).build();
    train(test, direct);
    LyapunovListener background = builder(test).background(Backlog.WAIT).build();
    train(test, background);
    background.close();
    assertThat(findings(background)).isEqualTo(findings(direct)).isNotEmpty();
  }

  private static List<Findings> findings(LyapunovListener listener) {
    return listener.history().stream().map(Checkpoint::findings).toList();
  }

  private static Case named(String name) {
    return cases().filter(test -> test.name().startsWith(name)).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void trainingIsBitIdentical(Case test) {
    List<Object> undisturbed = train(test, null);
    LyapunovListener listener = builder(test).build();
    assertThat(train(test, listener)).isEqualTo(undisturbed);
    assertThat(listener.isOff()).isFalse();
    assertThat(listener.failures()).isZero();
    assertThat(listener.history()).hasSizeGreaterThanOrEqualTo(2 * test.batches().size());
    listener.close();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void trainingIsBitIdenticalWithABackgroundThread(Case test) {
    List<Object> undisturbed = train(test, null);
    for (Backlog backlog : Backlog.values()) {
      LyapunovListener listener = builder(test).background(backlog).build();
      assertThat(train(test, listener)).isEqualTo(undisturbed);
      listener.close();
      assertThat(listener.failures()).isZero();
      assertThat(listener.history()).isNotEmpty();
    }
  }

  @Test
  void earlyStoppingIsBitIdentical() {
    List<Object> undisturbed = stopEarly(null);
    Case test = cases().findFirst().orElseThrow();
    LyapunovListener listener = builder(test).build();
    assertThat(stopEarly(listener)).isEqualTo(undisturbed);
    assertThat(listener.history()).hasSize(3 * EXAMPLES / BATCH);
    assertThat(listener.failures()).isZero();
  }

  /** A seed does not drop the second of two normal numbers that were made together. */
  private static void seedGenerator() {
    Random random = Nd4j.getRandom();
    long before;
    do {
      before = random.rootState() ^ random.nodeState();
      random.nextGaussian();
    } while (before == (random.rootState() ^ random.nodeState()));
    random.nextGaussian();
    random.setSeed(77);
  }

  private static List<Object> stopEarly(LyapunovListener listener) {
    MultiLayerNetwork network = batchNorm();
    if (listener != null) {
      network.setListeners(listener);
    }
    seedGenerator();
    var configuration =
        new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
            .epochTerminationConditions(new MaxEpochsTerminationCondition(3))
            .scoreCalculator(new DataSetLossCalculator(new ListDataSetIterator<>(table(), 1), true))
            .build();
    new EarlyStoppingTrainer(configuration, network, new ListDataSetIterator<>(table(), 1)).fit();
    return outcome(network);
  }

  private static LyapunovListener.Builder builder(Case test) {
    return LyapunovListener.builder(DataSet.merge(test.batches()))
        .settings(
            AnalysisSettings.standard()
                .withSeed(7)
                .withAnalyzer(settings -> settings.maxEpochs(16)))
        .frequency(1);
  }

  private static List<Object> train(Case test, LyapunovListener listener) {
    Model model = test.model().get();
    Consumer<DataSet> fit;
    if (model instanceof MultiLayerNetwork network) {
      fit = network::fit;
    } else {
      fit = ((ComputationGraph) model)::fit;
    }
    seedGenerator();
    if (listener != null) {
      model.setListeners(listener);
    }
    for (int epoch = 0; epoch < 2; epoch++) {
      test.batches().forEach(batch -> fit.accept(batch.copy()));
    }
    return outcome(model);
  }

  /** Parameters, updater state and the state of the thread's generator. */
  private static List<Object> outcome(Model model) {
    INDArray state =
        model instanceof MultiLayerNetwork network
            ? network.getUpdater().getStateViewArray()
            : ((ComputationGraph) model).getUpdater().getStateViewArray();
    return List.of(
        values(model.params()),
        values(state),
        Nd4j.getRandom().getSeed(),
        Nd4j.getRandom().rootState(),
        Nd4j.getRandom().nodeState(),
        Nd4j.getRandom().nextGaussian(),
        Nd4j.getRandom().nextGaussian());
  }

  private static List<Double> values(INDArray array) {
    return DoubleStream.of(array.dup().reshape(array.length()).toDoubleVector()).boxed().toList();
  }

  private static NeuralNetConfiguration.Builder configuration() {
    return Networks.configuration(new Nesterovs(0.01, 0.8), DataType.DOUBLE);
  }

  private static DenseLayer.Builder dense(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(Activation.TANH);
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(5)
        .nOut(2)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static RnnOutputLayer seriesOutput() {
    return new RnnOutputLayer.Builder(LossFunction.MSE)
        .nIn(3)
        .nOut(1)
        .dataFormat(RNNFormat.NCW)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static ComputationGraph graph() {
    ComputationGraph graph =
        new ComputationGraph(
            configuration()
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", dense(3, 5).dropOut(0.8).build(), "in")
                .addLayer("second", dense(5, 5).build(), "first")
                .addVertex(
                    "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "first", "second")
                .addLayer("out", output(), "sum")
                .setOutputs("out")
                .build());
    graph.init();
    graph.setParams(Networks.nearby(graph.params().mul(0), 0.4, new RandomStream(2)));
    return graph;
  }

  private static MultiLayerNetwork batchNorm() {
    return network(
        configuration()
            .list()
            .layer(dense(3, 5).dropOut(0.8).build())
            .layer(new BatchNormalization.Builder().nIn(5).nOut(5).build())
            .layer(output())
            .build());
  }

  private static MultiLayerNetwork transferred() {
    MultiLayerNetwork pretrained =
        network(
            configuration()
                .list()
                .layer(dense(3, 5).build())
                .layer(dense(5, 5).dropOut(0.8).build())
                .layer(output())
                .build());
    return new TransferLearning.Builder(pretrained).setFeatureExtractor(0).build();
  }

  private static MultiLayerNetwork series(BackpropType type) {
    var builder =
        configuration()
            .list()
            .layer(new LSTM.Builder().nIn(2).nOut(3).dropOut(0.8).build())
            .layer(seriesOutput())
            .backpropType(type);
    if (type == BackpropType.TruncatedBPTT) {
      builder.tBPTTLength(2);
    }
    return network(builder.build());
  }

  private static ComputationGraph lastStep() {
    ComputationGraph graph =
        new ComputationGraph(
            configuration()
                .graphBuilder()
                .addInputs("in")
                .addLayer("lstm", new LSTM.Builder().nIn(2).nOut(5).dropOut(0.8).build(), "in")
                .addVertex("last", new LastTimeStepVertex("in"), "lstm")
                .addLayer("out", output(), "last")
                .setOutputs("out")
                .build());
    graph.init();
    graph.setParams(Networks.nearby(graph.params().mul(0), 0.4, new RandomStream(2)));
    return graph;
  }

  private static MultiLayerNetwork drawing() {
    return network(
        configuration()
            .list()
            .layer(
                new DenseLayer.Builder()
                    .nIn(3)
                    .nOut(5)
                    .activation(new DrawingActivation())
                    .dropOut(0.8)
                    .build())
            .layer(output())
            .build());
  }

  private static MultiLayerNetwork yolo() {
    INDArray priors = Nd4j.create(new double[][] {{1, 1}, {0.6, 1.4}});
    return network(
        configuration()
            .list()
            .layer(
                new ConvolutionLayer.Builder(1, 1)
                    .nOut(12)
                    .activation(Activation.IDENTITY)
                    .dropOut(0.8)
                    .build())
            .layer(new Yolo2OutputLayer.Builder().boundingBoxPriors(priors).build())
            .setInputType(InputType.convolutional(2, 2, 2))
            .build());
  }

  private static MultiLayerNetwork endingIn(ILossFunction loss, Activation activation) {
    return network(
        configuration()
            .list()
            .layer(dense(3, 5).dropOut(0.8).build())
            .layer(new OutputLayer.Builder(loss).nIn(5).nOut(2).activation(activation).build())
            .build());
  }

  private static MultiLayerNetwork centreLoss() {
    return network(
        configuration()
            .list()
            .layer(dense(3, 5).dropOut(0.8).build())
            .layer(
                new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                    .nIn(5)
                    .nOut(2)
                    .lambda(0.3)
                    .alpha(0.1)
                    .activation(Activation.SOFTMAX)
                    .build())
            .build());
  }

  private static MultiLayerNetwork attention() {
    return network(
        configuration()
            .list()
            .layer(
                new SelfAttentionLayer.Builder()
                    .nIn(2)
                    .nOut(3)
                    .nHeads(1)
                    .projectInput(true)
                    .build())
            .layer(seriesOutput())
            .build());
  }

  private static MultiLayerNetwork network(MultiLayerConfiguration configuration) {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    // Batch norm stores the logarithm of its running deviation, so any number will do.
    network.setParams(Networks.nearby(network.params().mul(0), 0.4, new RandomStream(2)));
    return network;
  }

  private static List<DataSet> table() {
    return Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE).batchBy(BATCH);
  }

  private static List<DataSet> positive() {
    List<DataSet> batches = table();
    batches.forEach(batch -> batch.setLabels(Transforms.abs(batch.getLabels())));
    return batches;
  }

  private static List<DataSet> kinds() {
    List<DataSet> batches = table();
    for (DataSet batch : batches) {
      INDArray first = batch.getLabels().getColumn(0).gt(0).castTo(DataType.DOUBLE);
      batch.getLabels().putColumn(0, first);
      batch.getLabels().putColumn(1, first.rsub(1));
    }
    return batches;
  }

  /** One object each, in the cell (i mod 2, 1) of a grid of 2 × 2. */
  private static List<DataSet> boxes() {
    List<DataSet> batches = new ArrayList<>();
    for (int seed : List.of(6, 7)) {
      INDArray labels = Nd4j.zeros(DataType.DOUBLE, BATCH, 5, 2, 2);
      for (int i = 0; i < BATCH; i++) {
        double[] box = {1.2, 0.1 + i % 2, 1.9, 0.8 + i % 2, 1};
        for (int c = 0; c < box.length; c++) {
          labels.putScalar(new int[] {i, c, i % 2, 1}, box[c]);
        }
      }
      INDArray flat = Networks.data(seed, BATCH, 8, 1, DataType.DOUBLE).getFeatures();
      batches.add(new DataSet(flat.reshape('c', BATCH, 2, 2, 2), labels));
    }
    return batches;
  }

  private static List<DataSet> masked() {
    return Stream.of(1, 2).map(IsolationOfModelsTest::series).toList();
  }

  private static List<DataSet> maskedFeatures() {
    return masked().stream()
        .map(
            series ->
                new DataSet(
                    series.getFeatures(),
                    Networks.data(3, BATCH, 3, 2, DataType.DOUBLE).getLabels(),
                    series.getFeaturesMaskArray(),
                    null))
        .toList();
  }

  private static DataSet series(int seed) {
    DataSet flat = Networks.data(seed, BATCH, 2 * 4, 4, DataType.DOUBLE);
    INDArray mask = Nd4j.ones(DataType.DOUBLE, BATCH, 4);
    mask.putScalar(1, 3, 0);
    mask.putScalar(2, 3, 0);
    return new DataSet(
        flat.getFeatures().reshape('c', BATCH, 2, 4),
        flat.getLabels().reshape('c', BATCH, 1, 4),
        mask,
        mask.dup());
  }
}
