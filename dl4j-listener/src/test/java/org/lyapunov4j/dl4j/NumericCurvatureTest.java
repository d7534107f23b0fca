// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossCosineProximity;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSLE;
import org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity;
import org.nd4j.linalg.lossfunctions.impl.LossMultiLabel;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Curvature of losses by differences, against the linearised step by Deeplearning4j's own fit. */
class NumericCurvatureTest {
  private static final DataType DEFAULT = Nd4j.dataType();
  private static final int EXAMPLES = 4;
  private static final double RATE = 0.1;

  /** Two of Deeplearning4j's losses make arrays of the default type. */
  @BeforeAll
  static void inDouble() {
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
  }

  @AfterAll
  static void asBefore() {
    Nd4j.setDefaultDataTypes(DEFAULT, DEFAULT);
  }

  /** A loss of the pre-activation z and the label y, given by its derivative. */
  private abstract static class Custom implements ILossFunction {
    private static final long serialVersionUID = 1L;

    abstract INDArray slope(INDArray z, INDArray y);

    @Override
    public double computeScore(
        INDArray y, INDArray z, IActivation activation, INDArray mask, boolean average) {
      return 0;
    }

    @Override
    public INDArray computeScoreArray(
        INDArray y, INDArray z, IActivation activation, INDArray mask) {
      return Nd4j.zeros(DataType.DOUBLE, z.size(0));
    }

    @Override
    public INDArray computeGradient(INDArray y, INDArray z, IActivation activation, INDArray mask) {
      return slope(z, y.castTo(z.dataType()));
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
        INDArray y, INDArray z, IActivation activation, INDArray mask, boolean average) {
      return new Pair<>(0.0, computeGradient(y, z, activation, mask));
    }

    @Override
    public String name() {
      return "custom";
    }
  }

  /** log cosh. */
  static final class LogCosh extends Custom {
    private static final long serialVersionUID = 1L;

    @Override
    INDArray slope(INDArray z, INDArray y) {
      return Transforms.tanh(z.sub(y), false);
    }
  }

  /** The gradient of no function. */
  private static final class Rotation extends Custom {
    private static final long serialVersionUID = 1L;

    @Override
    INDArray slope(INDArray z, INDArray y) {
      INDArray turned = z.sub(y);
      INDArray first = turned.getColumn(0).dup();
      turned.getColumn(0).subi(turned.getColumn(1));
      turned.getColumn(1).addi(first);
      return turned;
    }
  }

  private static final class Absolute extends Custom {
    private static final long serialVersionUID = 1L;

    @Override
    INDArray slope(INDArray z, INDArray y) {
      return Transforms.sign(z.sub(y), true);
    }
  }

  /** Quadratic up to a residual of 1/2, linear beyond. */
  private static final class Huber extends Custom {
    private static final long serialVersionUID = 1L;

    @Override
    INDArray slope(INDArray z, INDArray y) {
      INDArray residual = z.sub(y);
      for (long i = 0; i < residual.size(0); i++) {
        for (long k = 0; k < residual.size(1); k++) {
          double r = residual.getDouble(i, k);
          residual.putScalar(i, k, Math.max(-0.5, Math.min(0.5, r)));
        }
      }
      return residual;
    }
  }

  private static final class OfTheBatch extends Custom {
    private static final long serialVersionUID = 1L;

    @Override
    INDArray slope(INDArray z, INDArray y) {
      INDArray residual = z.sub(y);
      return residual.subRowVector(residual.mean(0));
    }
  }

  record Case(ILossFunction loss, Activation activation, int outputs, int labels, boolean fitted) {
    MultiLayerNetwork network() {
      return NumericCurvatureTest.network(loss, activation, outputs);
    }

    DataSet data(MultiLayerNetwork network) {
      INDArray features = Networks.data(7, EXAMPLES, 3, 1, DataType.DOUBLE).getFeatures();
      INDArray y = Networks.data(9, EXAMPLES, 3, labels, DataType.DOUBLE).getLabels();
      if (loss instanceof LossMCXENT || loss instanceof LossMultiLabel) {
        y = y.gt(0).castTo(DataType.DOUBLE);
        y.getColumn(0).assign(1);
        y.getColumn(labels - 1).assign(0);
      }
      return new DataSet(features, fitted ? network.output(features).dup() : y);
    }

    @Override
    public String toString() {
      return loss.getClass().getSimpleName() + " over " + activation;
    }
  }

  private static MultiLayerNetwork network(ILossFunction loss, Activation activation, int outputs) {
    return network(loss, activation, outputs, DataType.DOUBLE);
  }

  private static MultiLayerNetwork network(
      ILossFunction loss, Activation activation, int outputs, DataType type) {
    MultiLayerConfiguration configuration =
        Networks.configuration(new Sgd(RATE), type)
            .list()
            .layer(new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.TANH).build())
            .layer(
                new OutputLayer.Builder(loss).nIn(4).nOut(outputs).activation(activation).build())
            .validateOutputLayerConfig(false)
            .build();
    return Networks.initialise(configuration, 31);
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case(new LossMSLE(), Activation.SOFTPLUS, 2, 2, true),
        new Case(new LossCosineProximity(), Activation.IDENTITY, 3, 3, true),
        new Case(new LogCosh(), Activation.IDENTITY, 2, 2, true),
        new Case(new LogCosh(), Activation.IDENTITY, 2, 2, false),
        new Case(new LossMCXENT(), Activation.SIGMOID, 3, 3, false));
  }

  /** At a fit for all parameters; elsewhere for those of the output layer, in which f is linear. */
  @ParameterizedTest
  @MethodSource("cases")
  void isTheStepOfTraining(Case test) {
    MultiLayerNetwork network = test.network();
    DataSet data = test.data(network);
    double[][] truth = new FitDerivative(network, 0).of(data);
    double[][] predicted = predicted(network, data);
    if (!test.fitted()) {
      int from = (int) network.getLayer(0).numParams();
      truth = block(truth, from);
      predicted = block(predicted, from);
    }
    assertThat(FitDerivative.distance(predicted, truth)).isLessThan(1e-8);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(checkpoint.level()).isEqualTo(Level.exact());
  }

  /** Derivatives that are computed in float are taken over longer steps. */
  @ParameterizedTest
  @MethodSource("cases")
  void aNetworkInFloatHasTheSpectrumOfItsDouble(Case test) {
    MultiLayerNetwork network = test.network();
    DataSet data = test.data(network);
    double[][] expected = gram(network, data);
    MultiLayerNetwork single =
        network(test.loss(), test.activation(), test.outputs(), DataType.FLOAT);
    single.setParams(network.params().castTo(DataType.FLOAT));
    DataSet inFloat =
        new DataSet(
            data.getFeatures().castTo(DataType.FLOAT), data.getLabels().castTo(DataType.FLOAT));
    Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    double[][] found;
    try {
      found = gram(single, inFloat);
      Checkpoint checkpoint =
          StabilityAnalysis.of(
                  single, inFloat, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
              .run();
      assertThat(checkpoint.stability().edgeRatio()).isPresent();
    } finally {
      inDouble();
    }
    double[] ofDouble = spectrum(expected);
    double[] ofFloat = spectrum(found);
    for (int i = 0; i < ofDouble.length; i++) {
      assertThat(ofFloat[i]).isCloseTo(ofDouble[i], offset(1e-5 * ofDouble[0]));
    }
  }

  /** Where curvatures are equal the matrix has a choice of coordinates, its eigenvalues none. */
  private static double[] spectrum(double[][] gram) {
    return new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(gram)).getEigenvalues();
  }

  private static double[][] predicted(MultiLayerNetwork network, DataSet data) {
    return FitDerivative.predicted(
        network, data, SgdStep.of(RATE, data.numExamples()), Optional.empty(), Optional.empty());
  }

  private static double[][] block(double[][] matrix, int from) {
    return Arrays.stream(matrix)
        .skip(from)
        .map(row -> Arrays.copyOfRange(row, from, row.length))
        .toArray(double[][]::new);
  }

  /** The positive part is never flatter than the whole, and its level says what is missing. */
  @Test
  void theNegativePartOfAMixtureDensityIsToldAndTheRestIsAnUpperBound() {
    LossMixtureDensity loss = LossMixtureDensity.builder().gaussians(2).labelWidth(1).build();
    Case test = new Case(loss, Activation.IDENTITY, 6, 1, false);
    MultiLayerNetwork network = test.network();
    DataSet data = test.data(network);
    int from = (int) network.getLayer(0).numParams();
    double whole = sharpness(block(new FitDerivative(network, 0).of(data), from));
    double positive = sharpness(block(predicted(network, data), from));
    assertThat(positive).isBetween(whole * (1 - 1e-9), 2 * whole);
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      double dropped = ntk.compute(network.params()).droppedCurvature();
      assertThat(dropped).isBetween(0.01, 1.0);
      Checkpoint checkpoint =
          StabilityAnalysis.of(
                  network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
              .run();
      assertThat(checkpoint.step().toString())
          .startsWith("APPROXIMATE (the negative part of the loss curvature is left out");
      assertThat(checkpoint.stability().edgeRatio()).isPresent();
    }
  }

  private static double sharpness(double[][] step) {
    double[][] curvature = new double[step.length][step.length];
    for (int i = 0; i < step.length; i++) {
      for (int j = 0; j < step.length; j++) {
        curvature[i][j] = ((i == j ? 2 : 0) - step[i][j] - step[j][i]) / 2 / RATE;
      }
    }
    return new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(curvature))
        .getEigenvalue(0);
  }

  /** YOLO, whose output layer is its loss: two boxes on a grid of 2 × 2, one class. */
  @Test
  void yoloIsTheStepOfTraining() {
    INDArray priors = Nd4j.create(new double[][] {{1, 1}, {0.6, 1.4}});
    int boxes = 2;
    int classes = 1;
    MultiLayerNetwork network =
        Networks.initialise(
            Networks.configuration(new Sgd(RATE), DataType.DOUBLE)
                .list()
                .layer(
                    new ConvolutionLayer.Builder(1, 1)
                        .nOut(boxes * (5 + classes))
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new Yolo2OutputLayer.Builder().boundingBoxPriors(priors).build())
                .setInputType(InputType.convolutional(2, 2, 2))
                .build(),
            31);
    RandomStream random = new RandomStream(3);
    INDArray features = Nd4j.create(DataType.DOUBLE, 3, 2, 2, 2);
    for (long i = 0; i < features.length(); i++) {
      features.putScalar(i, random.nextGaussian());
    }
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, 3, 4 + classes, 2, 2);
    for (int i = 0; i < 3; i++) { // one object each, in the cell (i mod 2, 1)
      double[] box = {1.2, 0.1 + i % 2, 1.9, 0.8 + i % 2};
      for (int c = 0; c < 4; c++) {
        labels.putScalar(new int[] {i, c, i % 2, 1}, box[c]);
      }
      labels.putScalar(new int[] {i, 4, i % 2, 1}, 1);
    }
    DataSet data = new DataSet(features, labels);
    double distance =
        FitDerivative.distance(predicted(network, data), new FitDerivative(network, 0).of(data));
    assertThat(distance).isLessThan(1e-8);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(3))
            .run();
    assertThat(checkpoint.level()).isEqualTo(Level.exact());
    assertThat(checkpoint.stability().edgeRatio()).isPresent();
    assertThat(checkpoint.probeLoss()).isPositive();
  }

  @Test
  void refusesWhatHasNoCurvatureByName() {
    requireObserved(new Rotation(), "its gradient is that of no function");
    requireObserved(new Absolute(), "its second derivative is 0");
    requireObserved(new OfTheBatch(), "it is not a sum over examples");
    requireObserved(new Huber(), "two steps disagree");
  }

  private static void requireObserved(Custom loss, String reason) {
    Case test = new Case(loss, Activation.IDENTITY, 2, 2, true);
    MultiLayerNetwork network = test.network();
    DataSet data = test.data(network);
    data.getLabels().subi(0.5); // the residual is where Huber's loss has its kink
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(checkpoint.level()).isInstanceOf(Level.Observed.class);
    assertThat(checkpoint.step().toString()).contains(loss.getClass().getSimpleName(), reason);
    assertThat(checkpoint.hasStability()).isFalse();
  }

  @Test
  void aSparseLossOverAnotherActivationTakesItsLabelsForClasses() {
    MultiLayerNetwork sparse = network(new LossSparseMCXENT(), Activation.SIGMOID, 3);
    MultiLayerNetwork dense = network(new LossMCXENT(), Activation.SIGMOID, 3);
    INDArray features = Networks.data(7, 3, 3, 1, DataType.DOUBLE).getFeatures();
    INDArray classes = Nd4j.create(new double[][] {{0}, {2}, {1}});
    INDArray hot = Nd4j.create(new double[][] {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}});
    assertThat(gram(sparse, new DataSet(features, classes)))
        .isEqualTo(gram(dense, new DataSet(features, hot)));
  }

  private static double[][] gram(MultiLayerNetwork network, DataSet data) {
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      return ntk.compute(network.params()).gram().toArray();
    }
  }

  @Test
  void labelsThatDoNotFitALossAreRefused() {
    MultiLayerNetwork network = network(new LogCosh(), Activation.IDENTITY, 2);
    DataSet data = Networks.data(7, EXAMPLES, 3, 5, DataType.DOUBLE);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                StabilityAnalysis.of(
                        network,
                        data,
                        AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
                    .run())
        .withMessageContaining("labels must fit the loss LogCosh");
  }
}
