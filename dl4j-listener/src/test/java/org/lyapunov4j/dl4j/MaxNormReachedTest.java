// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.inverse.InvertMatrix;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Weight vectors at their largest norm, some of them, against the linearised step by
 * Deeplearning4j's own fit. The labels are those of the network but for residuals that push each of
 * these vectors outward by the same length.
 */
class MaxNormReachedTest {
  private static final double RATE = 0.03;
  private static final double LARGEST = 0.9;
  private static final int EXAMPLES = 6;

  private final DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);

  /** Whose weights have been projected, with 3 vectors at the largest norm. */
  private MultiLayerNetwork network(IUpdater updater, int dimension) {
    MultiLayerNetwork network =
        Networks.regression(
            Networks.configuration(updater, DataType.DOUBLE)
                .constrainWeights(new MaxNormConstraint(LARGEST, dimension)),
            3,
            5,
            2);
    network.fit(new DataSet(data.getFeatures(), network.output(data.getFeatures()).dup()));
    return network;
  }

  /** ŵ of the vectors at their largest norm, along the dimension of W that is summed over. */
  private static List<double[]> directions(MultiLayerNetwork network, int dimension) {
    return directions(network, dimension, LARGEST);
  }

  private static List<double[]> directions(
      MultiLayerNetwork network, int dimension, double largest) {
    List<double[]> directions = new ArrayList<>();
    for (int layer = 0; layer < 2; layer++) {
      INDArray weights = network.getLayer(layer).getParam("W");
      for (long u = 0; u < weights.size(1 - dimension); u++) {
        INDArray one = dimension == 1 ? weights.getRow(u) : weights.getColumn(u);
        double norm = one.norm2Number().doubleValue();
        if (norm > largest - 3e-6) {
          MultiLayerNetwork other = network.clone();
          other.params().assign(0);
          INDArray same = other.getLayer(layer).getParam("W");
          (dimension == 1 ? same.getRow(u) : same.getColumn(u)).assign(one.div(norm));
          directions.add(FitDerivative.vector(other.params()));
        }
      }
    }
    return directions;
  }

  /** The same examples with residuals by which η‖g‖ is a length outward along every direction. */
  private DataSet pushing(MultiLayerNetwork network, List<double[]> directions, double length) {
    int rows = EXAMPLES * 2;
    double[][] images = new double[directions.size()][];
    try (OutputJacobian jacobian = OutputJacobian.of(network, data.toMultiDataSet())) {
      for (int u = 0; u < images.length; u++) {
        images[u] = jacobian.outputs(network.params(), directions.get(u));
      }
    }
    INDArray v = Nd4j.create(images);
    INDArray inverse = InvertMatrix.invert(v.mmul(v.transpose()), false);
    INDArray residuals = v.transpose().mmul(inverse.sum(1).reshape(images.length, 1));
    INDArray labels =
        network
            .output(data.getFeatures())
            .add(residuals.mul(length / RATE * EXAMPLES).reshape('c', rows / 2, 2));
    return new DataSet(data.getFeatures(), labels);
  }

  /** Π M for any number of columns. */
  private static double[][] projected(List<double[]> directions, double[][] matrix) {
    int p = matrix.length;
    double[][] result = new double[p][];
    for (int i = 0; i < p; i++) {
      result[i] = matrix[i].clone();
    }
    for (double[] w : directions) {
      for (int j = 0; j < matrix[0].length; j++) {
        double product = 0;
        for (int i = 0; i < p; i++) {
          product += w[i] * matrix[i][j];
        }
        for (int i = 0; i < p; i++) {
          result[i][j] -= w[i] * product;
        }
      }
    }
    return result;
  }

  /** T without what is linear in the push. */
  private double[][] limit(
      MultiLayerNetwork network, List<double[]> directions, DataSet... repeated) {
    double[][] whole = truth(network, directions, 2e-5, repeated.length);
    double[][] half = truth(network, directions, 1e-5, repeated.length);
    double[][] limit = new double[whole.length][whole.length];
    for (int i = 0; i < whole.length; i++) {
      for (int j = 0; j < whole.length; j++) {
        limit[i][j] = 2 * half[i][j] - whole[i][j];
      }
    }
    return limit;
  }

  private double[][] truth(
      MultiLayerNetwork network, List<double[]> directions, double length, int steps) {
    DataSet[] batches = new DataSet[steps];
    Arrays.fill(batches, pushing(network, directions, length));
    return new FitDerivative(network, 1, length / 50).of(batches);
  }

  private double[][] unconstrained(MultiLayerNetwork network) {
    return FitDerivative.predicted(
        network, data, SgdStep.of(RATE, EXAMPLES), Optional.empty(), Optional.empty());
  }

  /** Deeplearning4j divides by ‖w‖ + 1e-6, twice. */
  private static double epsilon(MultiLayerNetwork network, int dimension) {
    double smallest =
        Math.min(
            network.getLayer(0).getParam("W").norm2(dimension).minNumber().doubleValue(),
            network.getLayer(1).getParam("W").norm2(dimension).minNumber().doubleValue());
    return 2e-6 / smallest;
  }

  private static double most(double[][] a, double[][] b) {
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        most = Math.max(most, Math.abs(a[i][j] - b[i][j]));
      }
    }
    return most;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theStepIsProjectedUpToTheFirstOrderInThePush(int dimension) {
    MultiLayerNetwork network = network(new Sgd(RATE), dimension);
    List<double[]> directions = directions(network, dimension);
    double[][] predicted = projected(directions, unconstrained(network));
    double large = most(predicted, truth(network, directions, 2e-3, 1));
    double small = most(predicted, truth(network, directions, 1e-3, 1));
    assertThat(large / small).isBetween(1.9, 2.1);
    double limit = most(predicted, limit(network, directions, data));
    assertThat(limit).isLessThan(1.1 * epsilon(network, dimension));
    assertThat(most(unconstrained(network), predicted)).isGreaterThan(0.5);
  }

  /** r = JΠδ goes to r − (η/B) G r, with the Gram matrix of the step and its level. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theGramMatrixIsThatOfTheProjectedStep(int dimension) {
    MultiLayerNetwork network = network(new Sgd(RATE), dimension);
    List<double[]> directions = directions(network, dimension);
    double[][] step = limit(network, directions, data);
    GramMatrix gram = StabilityAnalysis.of(network, data).gram().gram();
    int p = step.length;
    double[][] identity = new double[p][p];
    for (int i = 0; i < p; i++) {
      identity[i][i] = 1;
    }
    double[][] projection = projected(directions, identity);
    double worst = 0;
    try (OutputJacobian jacobian = OutputJacobian.of(network, data.toMultiDataSet())) {
      for (int j = 0; j < p; j++) {
        double[] r = jacobian.outputs(network.params(), projection[j]);
        double[] image = new double[r.length];
        gram.multiply(r, image);
        double[] after =
            jacobian.outputs(network.params(), times(projection, times(step, projection[j])));
        for (int i = 0; i < r.length; i++) {
          worst = Math.max(worst, Math.abs(after[i] - r[i] + RATE / EXAMPLES * image[i]));
        }
      }
    }
    assertThat(worst).isLessThan(2 * epsilon(network, dimension));
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("APPROXIMATE (3 of " + (dimension == 1 ? 8 : 7) + " weight vectors stay at");
    assertThat(checkpoint.stability().edgeRatio()).isPresent();
    assertThat(checkpoint.stability().sharpness())
        .isCloseTo(LargestEigenpair.of(gram).value() / EXAMPLES, withinPercentage(1e-6));
  }

  private static double[] times(double[][] matrix, double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += matrix[i][j] * x[j];
      }
    }
    return y;
  }

  /** v ← βv − ηg is not projected, but only Πv moves the outputs. */
  @Test
  void velocitiesNeedNoProjection() {
    double beta = 0.9;
    MultiLayerNetwork network = network(new Nesterovs(RATE, beta), 1);
    network.getUpdater().getStateViewArray().assign(0);
    List<double[]> directions = directions(network, 1);
    double[][] truth = limit(network, directions, data, data);
    double[][] plain = unconstrained(network);
    int p = plain.length;
    double[][] predicted = new double[p][p];
    for (int j = 0; j < p; j++) {
      double[] x = new double[p];
      x[j] = 1;
      double[] v = new double[p];
      for (int s = 0; s < 2; s++) {
        double[] moved = times(plain, x);
        double[] next = new double[p];
        double[][] column = new double[p][1];
        for (int i = 0; i < p; i++) {
          next[i] = beta * v[i] + moved[i] - x[i];
          column[i][0] = x[i] + (1 + beta) * next[i] - beta * v[i];
        }
        double[][] kept = projected(directions, column);
        for (int i = 0; i < p; i++) {
          x[i] = kept[i][0];
        }
        v = next;
      }
      for (int i = 0; i < p; i++) {
        predicted[i][j] = x[i];
      }
    }
    assertThat(most(predicted, truth)).isLessThan(4 * epsilon(network, 1));
  }

  /** Away from vanishing gradients: in long training by the full batch on labels out of reach. */
  @ParameterizedTest
  @CsvSource({"0.6, 8, 0.03, 0.4", "0.9, 5, 0.005, 0.05"})
  void theSharpnessIsNearThatOfTheTrueStepWhereTrainingEnds(
      double largest, int held, double accuracy, double without) {
    MultiLayerNetwork network =
        Networks.regression(
            Networks.configuration(new Sgd(0.1), DataType.DOUBLE)
                .constrainWeights(new MaxNormConstraint(largest, 1)),
            3,
            5,
            2);
    for (int t = 0; t < 3000; t++) {
      network.fit(data.copy());
    }
    List<double[]> directions = directions(network, 1, largest);
    assertThat(directions).hasSize(held);
    double[][] moves = new FitDerivative(network, 3000, 1e-6).of(data);
    for (int i = 0; i < moves.length; i++) {
      for (int j = 0; j < moves.length; j++) {
        moves[i][j] = ((i == j ? 1 : 0) - moves[i][j]) / 0.1;
      }
    }
    double truth = largestEigenvalue(directions, moves);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("APPROXIMATE (" + held + " of 8 weight vectors stay at their largest norm: ");
    assertThat(checkpoint.stability().sharpness() / truth).isBetween(1 - accuracy, 1 + accuracy);
    try (NtkGram free = NtkGram.builder(network).probe(data).build()) {
      GramMatrix gram = free.compute(network.params()).gram();
      assertThat(LargestEigenpair.of(gram).value() / EXAMPLES / truth).isGreaterThan(1 + without);
    }
  }

  /** Its steps do not project the vector. */
  @ParameterizedTest
  @EnumSource(TrajectoryExponent.Curvature.class)
  void noTangentVectorIsCarriedWhereNormsAreHeld(TrajectoryExponent.Curvature curvature) {
    for (double largest : new double[] {0.3, 50}) {
      MultiLayerNetwork network =
          Networks.regression(
              Networks.configuration(new Sgd(RATE), DataType.DOUBLE)
                  .constrainWeights(new MaxNormConstraint(largest, 1)),
              3,
              5,
              2);
      LyapunovListener listener =
          LyapunovListener.builder(data)
              .settings(AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
              .schedule(Schedule.everyIterations(1))
              .trajectory(curvature)
              .strict(true)
              .build();
      network.setListeners(listener);
      for (int t = 0; t < 4; t++) {
        network.fit(data.copy());
      }
      assertThat(listener.history()).hasSize(4);
      assertThat(listener.history().get(3).trajectory().isPresent()).isEqualTo(largest == 50);
    }
  }

  /** Of Π M Π, by powers. */
  private static double largestEigenvalue(List<double[]> directions, double[][] matrix) {
    int p = matrix.length;
    double[][] x = new double[p][1];
    for (int i = 0; i < p; i++) {
      x[i][0] = Math.sin(i + 1);
    }
    double value = 0;
    for (int power = 0; power < 2000; power++) {
      double[][] kept = projected(directions, x);
      double[] flat = new double[p];
      for (int i = 0; i < p; i++) {
        flat[i] = kept[i][0];
      }
      double[] image = times(matrix, flat);
      double squares = 0;
      for (double entry : image) {
        squares += entry * entry;
      }
      value = Math.sqrt(squares);
      for (int i = 0; i < p; i++) {
        x[i][0] = image[i] / value;
      }
    }
    return value;
  }
}
