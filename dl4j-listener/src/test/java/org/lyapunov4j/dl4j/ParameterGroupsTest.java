// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.ParameterGroups;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Groups of parameters with memory or decay of their own, against Deeplearning4j's own steps. */
class ParameterGroupsTest {
  private static final int EXAMPLES = 6;
  private static final StepReader READER = new StepReader(MiniBatchSampling.IID_SUBSETS);

  private static NeuralNetConfiguration.Builder builder(IUpdater updater) {
    return new NeuralNetConfiguration.Builder()
        .seed(5)
        .dataType(DataType.DOUBLE)
        .weightInit(WeightInit.XAVIER)
        .activation(Activation.TANH)
        .updater(updater);
  }

  private static DenseLayer.Builder dense() {
    return new DenseLayer.Builder().nIn(3).nOut(4);
  }

  private static OutputLayer.Builder output() {
    return new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
        .nIn(4)
        .nOut(2)
        .activation(Activation.IDENTITY);
  }

  private static MultiLayerNetwork network(
      NeuralNetConfiguration.Builder builder,
      BaseLayer.Builder<?> dense,
      BaseLayer.Builder<?> out) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(builder.list().layer(dense.build()).layer(out.build()).build());
    network.init();
    Random random = new Random(3);
    double[] p = FitDerivative.vector(network.params());
    for (int i = 0; i < p.length; i++) {
      p[i] += 0.1 * random.nextGaussian();
    }
    network.setParams(Nd4j.createFromArray(p));
    return network;
  }

  /** Labels that are the network's outputs, and an updater that has its state. */
  private static DataSet fitted(MultiLayerNetwork network) {
    Nd4j.getRandom().setSeed(11);
    INDArray features = Nd4j.randn(DataType.DOUBLE, EXAMPLES, 3);
    DataSet data = new DataSet(features, network.output(features).dup());
    INDArray before = network.params().dup();
    network.fit(data);
    network.setParams(before);
    network.setIterationCount(0);
    return data;
  }

  static Stream<MultiLayerNetwork> decaysThatDiffer() {
    Sgd sgd = new Sgd(0.3);
    Nesterovs nesterovs = new Nesterovs(0.1, 0.9);
    return Stream.of(
        network(builder(sgd).l2(0.02), dense(), output()),
        network(builder(nesterovs).l2(0.02), dense(), output()),
        network(builder(sgd), dense().weightDecay(0.05, true), output().weightDecay(0.05, true)),
        network(builder(nesterovs), dense().weightDecay(0.05, true), output()),
        network(builder(sgd), dense().weightDecay(0.05, false), output()),
        network(builder(sgd), dense().l2(0.2), output()),
        network(builder(sgd).l2(0.02).l2Bias(0.1), dense(), output()),
        network(builder(sgd).l2(0.02), dense().updater(new Sgd(0.1)), output()));
  }

  /** The derivative of one fit, for single examples, pairs and all. */
  @ParameterizedTest
  @MethodSource("decaysThatDiffer")
  void isTheStepOfTraining(MultiLayerNetwork network) {
    DataSet data = fitted(network);
    for (DataSet batch : List.of(data, data.batchBy(2).get(1), data.batchBy(1).get(2))) {
      TrainingStep step = READER.read(network, 0, 0, batch.numExamples());
      assertThat(step.level()).isEqualTo(Level.exact());
      double[][] truth = new FitDerivative(network, 0).of(batch);
      assertThat(FitDerivative.distance(predicted(network, batch, step), truth)).isLessThan(1e-8);
    }
  }

  static Stream<MultiLayerNetwork> memoriesThatDiffer() {
    return Stream.of(
        network(builder(new Nesterovs(0.2, 0.9)).biasUpdater(new Sgd(0.1)), dense(), output()),
        network(
            builder(new Sgd(0.3)),
            dense().updater(new Nesterovs(0.2, 0.9)).biasUpdater(new Sgd(0.1)),
            output().updater(new Nesterovs(0.15, 0.5)).biasUpdater(new Nesterovs(0.15, 0.5))));
  }

  /** The derivative of two fits, the second of which sees what the first put into memories. */
  @ParameterizedTest
  @MethodSource("memoriesThatDiffer")
  void memoriesAreThoseOfTraining(MultiLayerNetwork network) {
    DataSet data = fitted(network);
    network.getUpdater().getStateViewArray().assign(0);
    for (DataSet batch : List.of(data, data.batchBy(2).get(1), data.batchBy(1).get(2))) {
      TrainingStep step = READER.read(network, 0, 0, batch.numExamples());
      assertThat(step.level()).isEqualTo(Level.exact());
      double[][] truth = new FitDerivative(network, 0).of(batch, data);
      double[][] first = predicted(network, batch, step, new double[0][]);
      double[][] found = predicted(network, data, step, first);
      assertThat(FitDerivative.distance(found, truth)).isLessThan(1e-8);
    }
  }

  /** With its mean square so old that a step hardly changes it, and its memory at rest. */
  @Test
  void adamBesideSgdIsTheStepOfTrainingWhereThePreconditionerStandsStill() {
    MultiLayerNetwork network =
        network(
            builder(new Sgd(0.3)), dense().updater(new Adam(0.01, 0.9, 1 - 1e-12, 1e-8)), output());
    DataSet data = fitted(network);
    INDArray state = network.getUpdater().getStateViewArray();
    long half = state.length() / 2;
    for (long i = 0; i < state.length(); i++) {
      state.putScalar(i, i < half ? 0 : 1e-8 * (0.5 + 0.1 * (i % 7)));
    }
    int iteration = 20_000;
    for (DataSet batch : List.of(data, data.batchBy(2).get(1), data.batchBy(1).get(2))) {
      network.setIterationCount(iteration);
      TrainingStep step = READER.read(network, iteration, 0, batch.numExamples());
      assertThat(step.hasOneMemory()).isFalse();
      assertThat(step.level().toString()).startsWith("APPROXIMATE (the preconditioner of Adam");
      double[][] truth = new FitDerivative(network, iteration).of(batch);
      double[][] found = predicted(network, batch, step);
      assertThat(FitDerivative.distance(found, truth)).isLessThan(1e-8);
    }
  }

  /** Batch normalisation trains on the statistics of the batch; its decay is another matter. */
  @Test
  void batchNormalisationDecaysAsItsGroupSays() {
    DataSet data = null;
    double[][][] steps = new double[2][][];
    for (int i = 0; i < 2; i++) {
      MultiLayerNetwork network =
          new MultiLayerNetwork(
              builder(new Sgd(0.3))
                  .l2(0.1 * i)
                  .list()
                  .layer(dense().build())
                  .layer(new BatchNormalization.Builder().nOut(4).build())
                  .layer(output().build())
                  .build());
      network.init();
      data = data == null ? fitted(network) : data;
      network.fit(data);
      network.setParams(Nd4j.linspace(DataType.DOUBLE, 0.1, 0.01, network.numParams()));
      steps[i] = new FitDerivative(network, 0).of(data);
      if (i == 1) {
        TrainingStep step = READER.read(network, 0, 0, EXAMPLES);
        assertThat(step.groups()).isPresent();
        for (ParameterGroups.Range range : step.groups().get().ranges()) {
          for (int p = (int) range.from(); p < range.to(); p++) {
            double decay = step.groups().get().members().get(range.group()).l2();
            assertThat((steps[0][p][p] - steps[1][p][p]) / 0.3).isCloseTo(decay, within(1e-8));
          }
        }
      }
    }
  }

  private static double[][] predicted(MultiLayerNetwork network, DataSet batch, TrainingStep step) {
    return predicted(network, batch, step, new double[0][]);
  }

  /**
   * What the groups say of the derivative of one step, or of one after that whose derivatives are
   * given: memories then hold what makes up the difference.
   */
  private static double[][] predicted(
      MultiLayerNetwork network, DataSet batch, TrainingStep step, double[][] before) {
    int p = (int) network.numParams();
    double rate = step.sgd().learningRate();
    double[] weights =
        READER
            .parameterWeights(network, network.getIterationCount(), 0)
            .map(FitDerivative::vector)
            .orElse(null);
    ParameterGroups groups = step.groups().orElseThrow();
    int[] groupOf = new int[p];
    for (ParameterGroups.Range range : groups.ranges()) {
      for (int i = (int) range.from(); i < range.to(); i++) {
        groupOf[i] = range.group();
      }
    }
    double[][] matrix = new double[p][p];
    try (OutputJacobian jacobian = OutputJacobian.of(network, batch.toMultiDataSet())) {
      for (int j = 0; j < p; j++) {
        double[] at = new double[p];
        for (int i = 0; i < p; i++) {
          at[i] = before.length == 0 ? (i == j ? 1 : 0) : before[i][j];
        }
        double[] back = jacobian.gradient(network.params(), jacobian.outputs(network.params(), at));
        for (int i = 0; i < p; i++) {
          ParameterGroup group = groups.members().get(groupOf[i]);
          double weight = weights == null ? 1 : weights[i];
          double gradient = weight * back[i] / batch.numExamples() + group.l2() * at[i];
          double decay = rate * group.weightDecay() * at[i];
          double beta = group.momentum().coefficient();
          double start = i == j ? 1 : 0;
          double velocity = before.length == 0 ? 0 : (at[i] - start) / (1 + beta);
          matrix[i][j] = at[i] - decay;
          if (group.momentum() instanceof Momentum.Nesterov) {
            double next = beta * velocity - rate * gradient;
            matrix[i][j] += -beta * velocity + (1 + beta) * next;
          } else if (group.momentum() instanceof Momentum.MovingAverage) {
            matrix[i][j] -= rate * (1 - beta) * gradient;
          } else {
            matrix[i][j] -= rate * gradient;
          }
        }
      }
    }
    return matrix;
  }

  /** Published before: −8.9e-4, −1.2e-3, −3.9e-3. */
  @ParameterizedTest
  @CsvSource({"1e-4, -3.1e-7", "1e-3, -3.0e-6", "1e-2, -2.7e-5"})
  void biasesThatDoNotDecayCreep(double l2, double truth) {
    MultiLayerNetwork network = network(builder(new Sgd(0.3)).l2(l2), dense(), output());
    DataSet data = fitted(network);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(checkpoint.level()).isEqualTo(Level.exact());
    assertThat(checkpoint.stability().gdExponent()).isInstanceOf(ExactExponent.class);
    assertThat(checkpoint.stability().gdExponent().low()).isCloseTo(truth, withinPercentage(4));
    assertThat(checkpoint.stability().exponent()).isEqualTo(checkpoint.stability().gdExponent());
  }

  /** λ of mini-batches against products of the derivatives of fits on every batch there is. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void theExponentIsThatOfProductsOfStepsOfTraining(int size) {
    MultiLayerNetwork network = network(builder(new Sgd(0.1)).l2(0.1), dense(), output());
    DataSet data = fitted(network);
    List<double[][]> steps = new ArrayList<>();
    List<DataSet> examples = data.asList();
    for (int i = 0; i < EXAMPLES; i++) {
      for (int j = size == 1 ? i : 0; size == 1 ? j == i : j < i; j++) {
        DataSet batch =
            size == 1 ? examples.get(i) : DataSet.merge(List.of(examples.get(i), examples.get(j)));
        steps.add(new FitDerivative(network, 0).of(batch));
      }
    }
    double[] truth = growthOfOutputs(network, data, steps);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(size))
            .run();
    LyapunovEstimate found = (LyapunovEstimate) checkpoint.stability().exponent();
    double error = 4 * truth[1] + found.high() - found.low();
    assertThat(found.value()).isCloseTo(truth[0], within(error));
    assertThat(error).isLessThan(-0.1 * truth[0]);
  }

  /**
   * Nats per step of ‖J δ‖ in products of random factors, with the error of some of them. They
   * start at δ = Jᵀw, without what has no effect, and are measured when one creep is left.
   */
  private static double[] growthOfOutputs(
      MultiLayerNetwork network, DataSet data, List<double[][]> steps) {
    int last = 300_000;
    int first = 200_000;
    double[] growth = new double[4];
    RandomStream random = new RandomStream(6);
    try (OutputJacobian jacobian = OutputJacobian.of(network, data.toMultiDataSet())) {
      for (int run = 0; run < growth.length; run++) {
        double[] delta = jacobian.gradient(network.params(), random.gaussians(2 * EXAMPLES));
        double before = 0;
        for (int t = 0; t < last; t++) {
          if (t == first) {
            before = logNorm(jacobian.outputs(network.params(), delta));
          }
          delta = product(steps.get(random.nextInt(steps.size())), delta);
        }
        double after = logNorm(jacobian.outputs(network.params(), delta));
        growth[run] = (after - before) / (last - first);
      }
    }
    double mean = Arrays.stream(growth).average().orElseThrow();
    double squares = Arrays.stream(growth).map(g -> (g - mean) * (g - mean)).sum();
    return new double[] {mean, Math.sqrt(squares / 3 / 4)};
  }

  private static double[] product(double[][] matrix, double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += matrix[i][j] * x[j];
      }
    }
    return y;
  }

  private static double logNorm(double[] x) {
    return 0.5 * Math.log(Arrays.stream(x).map(v -> v * v).sum());
  }

  /** A linear model has no curvature of its own: training itself tells the rate. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-2})
  void outputsOfALinearModelApproachTheirLimitAtThatRate(double l2) {
    Nd4j.getRandom().setSeed(5);
    INDArray features = Nd4j.randn(DataType.DOUBLE, EXAMPLES, 10);
    DataSet data = new DataSet(features, Nd4j.randn(DataType.DOUBLE, EXAMPLES, 1));
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            builder(new Sgd(0.1))
                .l2(l2)
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                        .nIn(10)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    double found = checkpoint.stability().exponent().point().orElseThrow();
    assertThat(found).isCloseTo(l2 == 1e-2 ? -6.5046e-4 : -6.51e-5, withinPercentage(0.1));
    INDArray[] outputs = new INDArray[4];
    for (int t = 0; t <= 6000; t++) {
      if (t % 2000 == 0) {
        outputs[t / 2000] = network.output(features).dup();
      }
      network.fit(data);
    }
    // one mode is left, and differences of outputs shrink as it does
    double before = outputs[2].sub(outputs[1]).norm2Number().doubleValue();
    double after = outputs[3].sub(outputs[2]).norm2Number().doubleValue();
    assertThat(Math.log(after / before) / 2000).isCloseTo(found, withinPercentage(0.1));
  }
}
