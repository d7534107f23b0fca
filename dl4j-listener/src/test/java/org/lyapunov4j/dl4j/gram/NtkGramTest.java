// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

class NtkGramTest {
  private static final INDArray POINTS =
      Nd4j.createFromArray(new double[][] {{0.3, 0.2}, {0.4, 0.5}, {1.2, 0.2}});

  private static Layer dense(int in, int out, Activation activation) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(activation).build();
  }

  private static Layer output(int in, int out, Activation activation, LossFunction loss) {
    return new OutputLayer.Builder(loss).nIn(in).nOut(out).activation(activation).build();
  }

  private static GramMatrix gram(
      MultiLayerNetwork model, INDArray features, INDArray labels, Weighting weighting) {
    try (NtkGram gram =
        NtkGram.builder(model).probe(new DataSet(features, labels)).weighting(weighting).build()) {
      return gram.compute(model.params()).gram();
    }
  }

  /** Against the naive Jacobian, weighted by the curvature unless {@code weighting} is plain. */
  private static double error(
      MultiLayerNetwork model, INDArray features, INDArray labels, Weighting weighting) {
    int outputs = (int) labels.size(1);
    org.deeplearning4j.nn.conf.layers.Layer last =
        model.getLayer(model.getnLayers() - 1).conf().getLayer();
    ILossFunction loss =
        last instanceof LossLayer layer ? layer.getLossFn() : ((OutputLayer) last).getLossFn();
    LossCurvature curvature =
        LossCurvature.of(
            loss, ((org.deeplearning4j.nn.conf.layers.BaseLayer) last).getActivationFn());
    double[][] jacobian =
        NaiveJacobian.of(
            model.clone(),
            new org.nd4j.linalg.dataset.MultiDataSet(features, labels),
            curvature.overLogits());
    if (weighting == Weighting.CURVATURE) {
      double[][][] r = new double[(int) features.size(0)][outputs][outputs];
      INDArray probabilities = model.output(features.dup()).castTo(DataType.DOUBLE);
      for (int i = 0; i < r.length; i++) {
        // softmax and sigmoid of the logits are what the model returns; recover logits up to what
        // cancels
        double[] f = probabilities.getRow(i).toDoubleVector();
        for (int k = 0; curvature.overLogits() && k < outputs; k++) {
          f[k] =
              curvature == LossCurvature.SIGMOID_CROSS_ENTROPY
                  ? Math.log(f[k] / (1 - f[k]))
                  : Math.log(f[k]);
        }
        curvature.factor(f, labels.getRow(i).toDoubleVector(), LossCurvature.weights(loss), r[i]);
      }
      jacobian = NaiveJacobian.weighted(jacobian, r);
    }
    return Networks.distance(
        gram(model, features, labels, weighting).toArray(), NaiveJacobian.gram(jacobian));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void theLinearModelHasItsClosedForm(int outputs) {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE, 5, output(2, outputs, Activation.IDENTITY, LossFunction.MSE));
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, 3, outputs);
    double[][] expected = {{1.13, 1.22, 1.40}, {1.22, 1.41, 1.58}, {1.40, 1.58, 2.48}};
    GramMatrix plain = gram(model, POINTS, labels, Weighting.PLAIN);
    GramMatrix weighted = gram(model, POINTS, labels, Weighting.CURVATURE);
    for (int r = 0; r < plain.size(); r++) {
      for (int c = 0; c < plain.size(); c++) {
        double kernel = r % outputs == c % outputs ? expected[r / outputs][c / outputs] : 0;
        assertThat(plain.get(r, c)).isCloseTo(kernel, within(1e-14));
        assertThat(weighted.get(r, c)).isCloseTo(2 * kernel / outputs, within(1e-14));
      }
    }
  }

  @Test
  void theTanhNetworkHasThePublishedKernel() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            dense(2, 3, Activation.TANH),
            output(3, 2, Activation.IDENTITY, LossFunction.MSE));
    model.setParam("0_W", Nd4j.createFromArray(new double[][] {{.5, -.3, .8}, {.2, .7, -.6}}));
    model.setParam("0_b", Nd4j.createFromArray(new double[][] {{.1, -.2, .05}}));
    model.setParam("1_W", Nd4j.createFromArray(new double[][] {{.4, -.5}, {.3, .9}, {-.7, .2}}));
    model.setParam("1_b", Nd4j.createFromArray(new double[][] {{0, .1}}));
    GramMatrix gram = gram(model, POINTS, Nd4j.zeros(DataType.DOUBLE, 3, 2), Weighting.PLAIN);
    assertThat(gram.trace()).isCloseTo(15.31563233651562, within(1e-13));
    assertThat(gram.get(0, 0)).isCloseTo(1.903270325929768, within(1e-14));
    assertThat(gram.get(0, 1)).isCloseTo(-0.04908552743515285, within(1e-14));
    assertThat(gram.get(0, 2)).isCloseTo(1.9535086016180543, within(1e-14));
    assertThat(gram.get(5, 5)).isCloseTo(3.735653708787343, within(1e-14));
    double[] eigenvalues =
        new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(gram.toArray()))
            .getEigenvalues();
    double[] published = {
      7.93974759254155,
      6.088235209197148,
      0.6304220403571288,
      0.5400840360831736,
      0.06819760176955326,
      0.0489458565670652
    };
    assertThat(eigenvalues).containsExactly(published, within(1e-12));
  }

  static Stream<Activation> activations() {
    return Stream.of(Activation.values())
        .filter(a -> a != Activation.RRELU && a != Activation.SOFTMAX);
  }

  @ParameterizedTest
  @MethodSource("activations")
  void everyActivationMatchesTheNaiveJacobian(Activation activation) {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            11,
            dense(4, 5, activation),
            output(5, 3, activation, LossFunction.MSE));
    INDArray features = Networks.gaussian(12, 6, 4).muli(5);
    INDArray labels = Networks.gaussian(13, 6, 3);
    assertThat(error(model, features, labels, Weighting.PLAIN)).isLessThan(1e-9);
    assertThat(error(model, features, labels, Weighting.CURVATURE)).isLessThan(1e-9);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void lossesMatchTheNaiveJacobian(DataType type) {
    double tolerance = type == DataType.DOUBLE ? 1e-9 : 1e-4;
    INDArray features = Networks.gaussian(21, 7, 4).castTo(type);
    for (int outputs : new int[] {1, 3}) {
      for (Layer last :
          List.of(
              output(6, outputs, Activation.IDENTITY, LossFunction.MSE),
              output(6, outputs, Activation.TANH, LossFunction.L2),
              output(6, outputs, Activation.SIGMOID, LossFunction.XENT))) {
        INDArray labels = Networks.oneHot(7, outputs).castTo(type);
        MultiLayerNetwork model =
            Networks.network(
                type, 22, dense(4, 5, Activation.TANH), dense(5, 6, Activation.RELU), last);
        for (Weighting weighting : Weighting.values()) {
          assertThat(error(model, features, labels, weighting))
              .as("%s, %s, K = %d", last, weighting, outputs)
              .isLessThan(tolerance);
        }
      }
    }
    for (LossFunction loss :
        List.of(LossFunction.MCXENT, LossFunction.NEGATIVELOGLIKELIHOOD, LossFunction.MSE)) {
      MultiLayerNetwork model =
          Networks.network(
              type, 23, dense(4, 5, Activation.TANH), output(5, 3, Activation.SOFTMAX, loss));
      for (Weighting weighting : Weighting.values()) {
        assertThat(error(model, features, Networks.oneHot(7, 3).castTo(type), weighting))
            .isLessThan(tolerance);
      }
    }
  }

  @Test
  void weightedLossesBiasFreeLayersAndLayersWithoutParametersMatchTheNaiveJacobian() {
    INDArray features = Networks.gaussian(31, 5, 4);
    INDArray labels = Networks.gaussian(32, 5, 3);
    INDArray weights = Nd4j.createFromArray(new double[][] {{0.5, 2, 3}});
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            33,
            new ActivationLayer(Activation.TANH),
            new DenseLayer.Builder()
                .nIn(4)
                .nOut(5)
                .hasBias(false)
                .activation(Activation.SIGMOID)
                .build(),
            new DropoutLayer(0.5),
            new DenseLayer.Builder()
                .nIn(5)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .dropOut(0.7)
                .weightNoise(new DropConnect(0.5))
                .build(),
            new LossLayer.Builder(new LossMSE(weights)).activation(Activation.TANH).build());
    assertThat(error(model, features, labels, Weighting.CURVATURE)).isLessThan(1e-9);
    try (NtkGram gram = NtkGram.builder(model).probe(new DataSet(features, labels)).build()) {
      assertThat(gram.compute(model.params()).assumptions())
          .containsExactly("dropout is off", "weight noise is off");
    }
  }

  @Test
  void theKernelIsThatOfTheOutputsFiniteDifferences() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            41,
            dense(3, 4, Activation.TANH),
            output(4, 2, Activation.SIGMOID, LossFunction.MSE));
    INDArray features = Networks.gaussian(42, 4, 3);
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, 4, 2);
    assertThat(
            Networks.distance(
                gram(model, features, labels, Weighting.PLAIN).toArray(),
                NaiveJacobian.gram(
                    NaiveJacobian.byFiniteDifferences(
                        model, new org.nd4j.linalg.dataset.MultiDataSet(features, labels), 1e-3))))
        .isLessThan(1e-9);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 8, 100})
  void tilesOfAnySizeAgree(int tileExamples) {
    INDArray a = Networks.gaussian(51, 8, 3);
    INDArray delta = Networks.gaussian(52, 24, 2);
    double[][] expected = new double[24][24];
    for (int r = 0; r < 24; r++) {
      for (int c = 0; c < 24; c++) {
        double inputs = 1 + Nd4j.getBlasWrapper().dot(a.getRow(r / 3).dup(), a.getRow(c / 3).dup());
        expected[r][c] =
            inputs * Nd4j.getBlasWrapper().dot(delta.getRow(r).dup(), delta.getRow(c).dup());
      }
    }
    for (boolean single : new boolean[] {false, true}) {
      GramAccumulator sum =
          new GramAccumulator(
              8, 3, single, 3 * tileExamples, 5 * tileExamples, Tile.Product.NATIVE, () -> {});
      sum.addHadamard(a, delta, 1, 1);
      assertThat(Networks.distance(sum.toGram().toArray(), expected))
          .isLessThan(single ? 1e-6 : 1e-14);
    }
  }

  @Test
  void followsTheParametersItIsGiven() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.FLOAT,
            61,
            dense(3, 4, Activation.TANH),
            output(4, 2, Activation.IDENTITY, LossFunction.MSE));
    INDArray features = Networks.gaussian(62, 5, 3).castTo(DataType.FLOAT);
    INDArray labels = Networks.gaussian(63, 5, 2).castTo(DataType.FLOAT);
    try (NtkGram gram = NtkGram.builder(model).probe(new DataSet(features, labels)).build()) {
      double[][] before = gram.compute(model.params()).gram().toArray();
      features.muli(0);
      model.params().muli(0.5);
      double[][] after = gram.compute(model.params()).gram().toArray();
      model.params().muli(2);
      assertThat(gram.compute(model.params()).gram().toArray()).isDeepEqualTo(before);
      assertThat(Networks.distance(after, before)).isGreaterThan(0.01);
      assertThatThrownBy(() -> gram.compute(Nd4j.zeros(DataType.FLOAT, 7)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("length 26, got 7");
    }
  }

  @Test
  void leavesTheModelAndTheRandomGeneratorsAlone() {
    MultiLayerNetwork model =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Adam(0.01))
                .list()
                .layer(
                    new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(6)
                        .activation(Activation.TANH)
                        .dropOut(new Dropout(0.6))
                        .build())
                .layer(output(6, 3, Activation.SOFTMAX, LossFunction.MCXENT))
                .build());
    model.init();
    CollectScoresListener listener = new CollectScoresListener(1);
    model.setListeners(listener);
    DataSet data =
        new DataSet(
            Networks.gaussian(71, 8, 4).castTo(DataType.FLOAT),
            Networks.oneHot(8, 3).castTo(DataType.FLOAT));
    model.fit(data);
    List<Object> before = state(model);
    try (NtkGram gram = NtkGram.builder(model).probe(data).build()) {
      gram.compute(model.params());
    }
    assertThat(state(model)).isEqualTo(before);
    assertThat(model.getListeners()).containsExactly(listener);
    assertThat(listener.getListScore().size()).isEqualTo(1);
  }

  private static List<Object> state(MultiLayerNetwork model) {
    List<Object> state = new ArrayList<>();
    state.add(Nd4j.getRandom().rootState());
    state.add(Nd4j.getRandom().nodeState());
    state.add(model.params().dup());
    state.add(model.getUpdater().getStateViewArray().dup());
    state.add(model.getFlattenedGradients().dup());
    state.add(model.getIterationCount());
    state.add(model.score());
    state.add(model.getLayer(0).conf().getLayer().getIDropout());
    state.add(Nd4j.getMemoryManager().getCurrentWorkspace() == null);
    return state;
  }

  /** Remembers the largest batch it has seen. */
  private static final class Counting implements InputPreProcessor {
    private static final long serialVersionUID = 1;
    private static int most;

    @Override
    public INDArray preProcess(INDArray input, int size, LayerWorkspaceMgr manager) {
      most = Math.max(most, size);
      return input;
    }

    @Override
    public INDArray backprop(INDArray output, int size, LayerWorkspaceMgr manager) {
      return output;
    }

    @Override
    public InputPreProcessor clone() {
      return new Counting();
    }

    @Override
    public InputType getOutputType(InputType type) {
      return type;
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
        INDArray mask, MaskState state, int size) {
      return new Pair<>(mask, state);
    }
  }

  @Test
  void aMatrixThatIsTooLargeIsRefusedBeforeTheExamplesRunThroughTheModel() {
    int examples = 500;
    MultiLayerNetwork model =
        Networks.network(DataType.DOUBLE, 5, output(3, 2, Activation.IDENTITY, LossFunction.MSE));
    model.getLayerWiseConfigurations().setInputPreProcessors(Map.of(0, new Counting()));
    DataSet data =
        new DataSet(Networks.gaussian(2, examples, 3), Networks.gaussian(3, examples, 2));
    long needed = 4L * 2 * examples * 2 * examples;
    NtkGram.Builder builder = NtkGram.builder(model).probe(data);
    Counting.most = 0;
    assertThatThrownBy(() -> builder.memoryBudget(needed - 1).build())
        .hasMessageContaining("a Gram matrix of 1000 rows in float needs 4,000,000 bytes");
    assertThat(Counting.most).isEqualTo(1);
    builder.memoryBudget(needed).build().close();
    assertThat(Counting.most).isEqualTo(examples);
  }

  @Test
  void refusesWithRuleValueAndRemedy() {
    MultiLayerNetwork model =
        Networks.network(DataType.DOUBLE, 5, output(2, 2, Activation.IDENTITY, LossFunction.MSE));
    DataSet data = new DataSet(POINTS, Nd4j.zeros(DataType.DOUBLE, 3, 2));
    assertThatThrownBy(() -> NtkGram.builder(model).build()).hasMessageContaining("probe");
    assertThatThrownBy(() -> NtkGram.builder(model).probe(data).memoryBudget(100).build())
        .hasMessageContaining("6 rows in float needs 144 bytes")
        .hasMessageContaining("budget is 100");
    try (NtkGram gram = NtkGram.builder(model).probe(data).offHeapBudget(100).build()) {
      // 2 columns of 3 × 2 outputs three times and of 3 × 2 inputs once, in 8 bytes
      assertThatThrownBy(() -> gram.compute(model.params()))
          .hasMessageContaining("384 bytes outside the Java heap")
          .hasMessageContaining("budget is 100");
    }
    assertThatThrownBy(
            () ->
                NtkGram.builder(model)
                    .probe(new DataSet(POINTS, Nd4j.zeros(DataType.DOUBLE, 2, 2)))
                    .build())
        .hasMessageContaining("each of the 3 examples");
    MultiLayerNetwork hinge =
        Networks.network(DataType.DOUBLE, 5, output(2, 2, Activation.IDENTITY, LossFunction.HINGE));
    assertThatThrownBy(() -> NtkGram.builder(hinge).probe(data).build())
        .hasMessageContaining("layer 'layer0' (OutputLayer)")
        .hasMessageContaining("LossHinge");
  }

  @Test
  void refusesAProbeThatDoesNotFitAtOnce() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            dense(2, 3, Activation.TANH),
            output(3, 2, Activation.IDENTITY, LossFunction.MSE));
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, 3, 2);
    refused(model, Nd4j.zeros(DataType.DOUBLE, 3, 5), labels)
        .hasMessageContaining("cannot be run on features of shape [3, 5]")
        .hasMessageContaining("as the model is trained on");
    refused(model, Nd4j.zeros(DataType.DOUBLE, 3, 2, 4), labels)
        .hasMessageContaining("features of shape [3, 2, 4]");
    refused(model, POINTS, Nd4j.zeros(DataType.DOUBLE, 3, 4))
        .hasMessageContaining("labels must have the shape [3, 2] of the model's output")
        .hasMessageContaining("got [3, 4]");
    refused(model, POINTS, Nd4j.zeros(DataType.DOUBLE, 3, 2, 1))
        .hasMessageContaining("got [3, 2, 1]");
    refused(model, Nd4j.create("a", "b", "c"), labels).hasMessageContaining("got UTF8");
    refused(model, POINTS.dup().putScalar(3, Double.NaN), labels)
        .hasMessageContaining("features must be finite, got NaN or infinity in example 1");
    refused(model, POINTS, labels.dup().putScalar(5, Double.POSITIVE_INFINITY))
        .hasMessageContaining("labels must be finite, got NaN or infinity in example 2");
    refused(model, POINTS, null).hasMessageContaining("no labels");
    assertThatThrownBy(
            () ->
                NtkGram.builder(model)
                    .probe(
                        new org.nd4j.linalg.dataset.MultiDataSet(
                            new INDArray[] {POINTS, POINTS}, new INDArray[] {labels}))
                    .build())
        .hasMessageContaining("1 inputs and 1 outputs, got 2 arrays of features");
  }

  private static AbstractThrowableAssert<?, ?> refused(
      MultiLayerNetwork model, INDArray features, INDArray labels) {
    return refused(model, new DataSet(features, labels));
  }

  private static AbstractThrowableAssert<?, ?> refused(MultiLayerNetwork model, DataSet probe) {
    return assertThatThrownBy(() -> NtkGram.builder(model).probe(probe).build())
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Deeplearning4j multiplies outputs, not losses, with the entries of a mask. */
  @Test
  void refusesFractionalMasksOfLabels() {
    MultiLayerNetwork model =
        Networks.network(DataType.DOUBLE, 7, output(2, 2, Activation.IDENTITY, LossFunction.MSE));
    INDArray labels = Networks.gaussian(8, 3, 2);
    INDArray whole = Nd4j.createFromArray(new double[][] {{1}, {0}, {1}});
    INDArray fractional = Nd4j.createFromArray(new double[][] {{1}, {0.5}, {1}});
    NtkGram.builder(model).probe(new DataSet(POINTS, labels, null, whole)).build().close();
    assertThatThrownBy(
            () ->
                NtkGram.builder(model).probe(new DataSet(POINTS, labels, null, fractional)).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must hold zeros and ones only, got 0.5; weight the loss instead");
  }

  @Test
  void refusesMasksThatDoNotFit() {
    MultiLayerNetwork model =
        Networks.network(DataType.DOUBLE, 7, output(2, 2, Activation.IDENTITY, LossFunction.MSE));
    INDArray labels = Networks.gaussian(8, 3, 2);
    refused(model, new DataSet(POINTS, labels, null, Nd4j.ones(DataType.DOUBLE, 2, 1)))
        .hasMessageContaining("a mask of labels must have one row for each of the 3 examples");
    refused(model, new DataSet(POINTS, labels, Nd4j.ones(DataType.DOUBLE, 2, 1), null))
        .hasMessageContaining("a mask of features must have one row for each of the 3 examples");
    refused(model, new DataSet(POINTS, labels, null, Nd4j.ones(DataType.DOUBLE, 3, 3)))
        .hasMessageContaining("Mask shape: [3, 3], output shape: [3, 2]");
    MultiLayerNetwork recurrent =
        Networks.network(
            DataType.DOUBLE,
            7,
            new LSTM.Builder().nIn(2).nOut(3).build(),
            new RnnOutputLayer.Builder(LossFunction.MSE)
                .nIn(3)
                .nOut(2)
                .activation(Activation.IDENTITY)
                .build());
    INDArray series = Networks.gaussian(9, 3, 2, 5);
    refused(recurrent, new DataSet(series, series, Nd4j.ones(DataType.DOUBLE, 3, 4), null))
        .hasMessageContaining(
            "one entry for each time step, got shape [3, 4] for features of shape [3, 2, 5]");
    refused(recurrent, new DataSet(series, series, null, Nd4j.ones(DataType.DOUBLE, 3, 4)))
        .hasMessageContaining(
            "one entry for each time step, got shape [3, 4] for labels of shape [3, 2, 5]");
  }

  @Test
  void parametersInHalfPrecisionAreTakenUpToFloat() {
    DataType type = DataType.FLOAT16;
    Layer[] layers = {
      dense(4, 5, Activation.TANH), output(5, 3, Activation.SOFTMAX, LossFunction.MCXENT)
    };
    MultiLayerNetwork half = Networks.network(type, 91, layers);
    MultiLayerNetwork full = Networks.network(DataType.FLOAT, 92, layers);
    full.setParams(half.params().castTo(DataType.FLOAT));
    INDArray features = Networks.gaussian(93, 5, 4);
    INDArray labels = Networks.oneHot(5, 3);
    assertThat(
            gram(half, features.castTo(type), labels.castTo(type), Weighting.CURVATURE).toArray())
        .isDeepEqualTo(
            gram(full, features.castTo(type).castTo(DataType.FLOAT), labels, Weighting.CURVATURE)
                .toArray());
    assertThat(half.params().dataType()).isEqualTo(type);
  }

  @Test
  void refusesAnOutputWithoutTimeStepsOnTimeSeries() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            InputType.recurrent(2, 4),
            new LSTM.Builder().nOut(3).build(),
            new OutputLayer.Builder(LossFunction.MSE)
                .nOut(2)
                .activation(Activation.IDENTITY)
                .build());
    refused(model, Networks.gaussian(94, 3, 2, 4), Networks.gaussian(95, 3, 2, 4))
        .hasMessageContaining("labels must have the shape [12, 2] of the model's output")
        .hasMessageContaining("let RnnOutputLayer, not OutputLayer, follow recurrent layers");
  }

  @Test
  void sparseLabelsAreClassIndices() {
    INDArray features = Networks.gaussian(81, 5, 2);
    MultiLayerNetwork sparse =
        Networks.network(
            DataType.DOUBLE, 5, output(2, 3, Activation.SOFTMAX, LossFunction.SPARSE_MCXENT));
    MultiLayerNetwork dense =
        Networks.network(DataType.DOUBLE, 5, output(2, 3, Activation.SOFTMAX, LossFunction.MCXENT));
    INDArray indices = Nd4j.createFromArray(new double[][] {{0}, {2}, {1}, {2}, {0}});
    INDArray oneHot = Nd4j.zeros(DataType.DOUBLE, 5, 3);
    for (int i = 0; i < 5; i++) {
      oneHot.putScalar(i, indices.getInt(i), 1);
    }
    assertThat(gram(sparse, features, indices, Weighting.CURVATURE).toArray())
        .isDeepEqualTo(gram(dense, features, oneHot, Weighting.CURVATURE).toArray());
    refused(sparse, features, oneHot)
        .hasMessageContaining("labels must have the shape [5, 1], class indices, got [5, 3]");
    refused(sparse, features, indices.add(1)).hasMessageContaining("class indices 0 … 2, got 3");
    try (NtkGram gram = NtkGram.builder(sparse).probe(new DataSet(features, indices)).build()) {
      assertThat(gram.compute(sparse.params()).assumptions())
          .containsExactly(
              "LossSparseMCXENT is not a squared error: outside the paper's theorems (section"
                  + " 2.7)");
    }
  }

  @Test
  void namesTheLayersFromTheInputToTheOutput() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            dense(2, 3, Activation.TANH),
            new ActivationLayer(Activation.TANH),
            output(3, 2, Activation.IDENTITY, LossFunction.MSE));
    DataSet data = new DataSet(POINTS, Nd4j.zeros(DataType.DOUBLE, 3, 2));
    try (NtkGram gram = NtkGram.builder(model).probe(data).layers(true).build()) {
      assertThat(gram.compute(model.params()).layers().keySet())
          .containsExactly("layer0", "layer2");
    }
    assertThatThrownBy(
            () -> NtkGram.builder(model).probe(data).layers(true).memoryBudget(300).build())
        .hasMessageContaining("Gram matrices of all layers")
        .hasMessageContaining("needs 432 bytes");
    try (NtkGram gram = NtkGram.builder(model).probe(data).matrixFree().memoryBudget(1).build()) {
      assertThat(gram.operator(model.params()).size()).isEqualTo(6);
      assertThatThrownBy(() -> gram.compute(model.params()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("matrixFree()");
      assertThatThrownBy(() -> gram.operator(model.params()).multiply(new double[5]))
          .hasMessageContaining("length m = 6, got 5");
    }
  }

  @Test
  void automaticPrecisionStoresFloatWhereDoubleDoesNotFit() {
    MultiLayerNetwork model =
        Networks.network(DataType.DOUBLE, 5, output(2, 2, Activation.IDENTITY, LossFunction.MSE));
    DataSet data = new DataSet(POINTS, Nd4j.zeros(DataType.DOUBLE, 3, 2));
    for (long budget : new long[] {144, 287, 288}) {
      try (NtkGram gram = NtkGram.builder(model).probe(data).memoryBudget(budget).build()) {
        assertThat(gram.compute(model.params()).gram().isSinglePrecision()).isEqualTo(budget < 288);
      }
    }
  }

  @Test
  void aComputationCanBeCancelledAtAnyTileAndRepeated() {
    MultiLayerNetwork model = threeClasses();
    AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
    try (NtkGram gram =
        NtkGram.builder(model)
            .probe(gaussians(300))
            .cancelled(() -> left.decrementAndGet() < 0)
            .build()) {
      double[][] whole = gram.compute(model.params()).gram().toArray();
      int asked = Integer.MAX_VALUE - left.get();
      assertThat(asked).isGreaterThan(2 * 4);
      for (int allowed = 0; allowed < asked; allowed++) {
        left.set(allowed);
        assertThatThrownBy(() -> gram.compute(model.params()))
            .isInstanceOf(CancellationException.class);
      }
      left.set(asked);
      assertThat(gram.compute(model.params()).gram().toArray()).isDeepEqualTo(whole);
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> gram.compute(model.params()))
          .isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  private static MultiLayerNetwork threeClasses() {
    return Networks.network(
        DataType.FLOAT,
        5,
        dense(7, 9, Activation.TANH),
        output(9, 3, Activation.SOFTMAX, LossFunction.MCXENT));
  }

  private static DataSet gaussians(int examples) {
    return new DataSet(Networks.gaussian(1, examples, 7), Networks.oneHot(examples, 3));
  }

  /** Rows enough for several tiles and several shares of each. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FLOAT", "DOUBLE"})
  void theNumberOfThreadsChangesNoBit(Precision precision) throws Exception {
    MultiLayerNetwork model =
        Networks.network(
            DataType.FLOAT,
            5,
            dense(7, 9, Activation.TANH),
            output(9, 3, Activation.SOFTMAX, LossFunction.MCXENT));
    INDArray features = Networks.gaussian(1, 300, 7);
    INDArray labels = Networks.oneHot(300, 3);
    try (NtkGram gram =
        NtkGram.builder(model).probe(new DataSet(features, labels)).precision(precision).build()) {
      double[][] alone = inPool(1, () -> gram.compute(model.params()).gram().toArray());
      for (int threads : new int[] {2, 5}) {
        assertThat(inPool(threads, () -> gram.compute(model.params()).gram().toArray()))
            .isDeepEqualTo(alone);
      }
    }
  }

  private static double[][] inPool(int threads, Callable<double[][]> action) throws Exception {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(action).get();
    } finally {
      pool.shutdown();
    }
  }
}
