// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.gram.GramSpectrum;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class HessianSharpnessTest {
  private static final DataSet DATA =
      new DataSet(Networks.gaussian(1, 6, 3), Networks.oneHot(6, 2));

  private static DenseLayer dense() {
    return new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.TANH).build();
  }

  private static OutputLayer output(int in, LossFunction loss, Activation activation) {
    return new OutputLayer.Builder(loss).nIn(in).nOut(2).activation(activation).build();
  }

  private static Model network(boolean graph, DataType type) {
    OutputLayer last = output(4, LossFunction.MCXENT, Activation.SOFTMAX);
    return graph
        ? Networks.graph(
            type,
            2,
            builder ->
                builder
                    .addInputs("x")
                    .addLayer("hidden", dense(), "x")
                    .addLayer("y", last, "hidden")
                    .setOutputs("y"))
        : Networks.network(type, 2, dense(), last);
  }

  /** Second differences of the score of a multi-layer network, entry by entry. */
  private static double[][] hessianOfTheScore(MultiLayerNetwork model, DataSet data) {
    INDArray theta = model.params().dup();
    int size = (int) theta.length();
    double h = 1e-3;
    double[][] hessian = new double[size][size];
    for (int p = 0; p < size; p++) {
      for (int q = 0; q <= p; q++) {
        double sum = 0;
        for (int s = -1; s <= 1; s += 2) {
          for (int t = -1; t <= 1; t += 2) {
            INDArray moved = theta.dup();
            moved.putScalar(p, moved.getDouble(p) + s * h);
            moved.putScalar(q, moved.getDouble(q) + t * h);
            model.setParams(moved);
            sum += s * t * model.score(data);
          }
        }
        hessian[p][q] = sum / (4 * h * h);
        hessian[q][p] = hessian[p][q];
      }
    }
    model.setParams(theta);
    return hessian;
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void theEigenvaluesAreThoseOfTheHessianOfTheScore(DataType type) {
    double[] expected =
        new EigenDecompositionSymmetric(
                MatrixUtils.createRealMatrix(
                    hessianOfTheScore((MultiLayerNetwork) network(false, DataType.DOUBLE), DATA)))
            .getEigenvalues();
    for (boolean graph : new boolean[] {false, true}) {
      Model model = network(graph, type);
      INDArray before = model.params().dup();
      try (HessianSharpness sharpness = HessianSharpness.of(model, DATA.toMultiDataSet())) {
        TopEigenpairs top = sharpness.largest(model.params(), 3, 1e-7, 100);
        assertThat(top.converged()).isTrue();
        for (int j = 0; j < 3; j++) {
          assertThat(top.eigenvalues().get(j)).isCloseTo(expected[j], within(1e-5 * expected[0]));
        }
        assertThat(sharpness.largest(model.params(), 3, 1e-7, 100).products())
            .isLessThan(top.products());
      }
      assertThat(model.params()).isEqualTo(before);
    }
  }

  @Test
  void ofALinearModelItIsTheGaussNewtonMatrix() {
    MultiLayerNetwork model =
        Networks.network(DataType.DOUBLE, 3, output(3, LossFunction.MSE, Activation.IDENTITY));
    MultiDataSet data = DATA.toMultiDataSet();
    try (NtkGram gram = NtkGram.builder(model).probe(data).build();
        HessianSharpness sharpness = HessianSharpness.of(model, data)) {
      double kappa = GramSpectrum.eigenvaluesOnly(gram.compute(model.params()).gram()).largest();
      assertThat(sharpness.largest(model.params(), 1, 1e-7, 50).eigenvalues().get(0))
          .isCloseTo(kappa / 6, within(1e-7 * kappa));
    }
  }

  /**
   * The second derivative of the mean of squares of Σ_k a_k max(0, w_k·x + b_k) + c where it
   * exists. Four hundred examples and sixteen rectifiers: a difference over 1e-5 ‖θ‖ crosses kinks.
   */
  @Test
  void kinksOfRectifiersDoNotCount() {
    int examples = 400;
    int width = 16;
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            new DenseLayer.Builder().nIn(2).nOut(width).activation(Activation.RELU).build(),
            new OutputLayer.Builder(LossFunction.MSE)
                .nIn(width)
                .nOut(1)
                .activation(Activation.IDENTITY)
                .build());
    INDArray x = Networks.gaussian(11, examples, 2);
    INDArray w = model.getLayer(0).getParam("W");
    INDArray b = model.getLayer(0).getParam("b");
    for (int k = 0; k < width; k++) {
      double w1 = w.getDouble(0, k);
      double w2 = w.getDouble(1, k);
      double off = ((k % 2 == 0 ? 1e-6 : 1e-8) - b.getDouble(k)) / (w1 * w1 + w2 * w2);
      x.putRow(k, Nd4j.createFromArray(off * w1 - 2 * w2, off * w2 + 2 * w1));
    }
    INDArray y = Networks.gaussian(12, examples, 1).muli(5);
    double expected =
        new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(besideKinks(model, x, y)))
            .getEigenvalues()[0];
    try (HessianSharpness sharpness =
        HessianSharpness.of(model, new DataSet(x, y).toMultiDataSet())) {
      TopEigenpairs top = sharpness.largest(model.params(), 1, 1e-6, 200);
      assertThat(top.converged()).isTrue();
      assertThat(top.eigenvalues().get(0)).isCloseTo(expected, within(1e-6 * expected));
    }
  }

  @Test
  void refusesToDifferentiateAtAKink() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.RELU).build(),
            output(4, LossFunction.MSE, Activation.IDENTITY));
    model.setParam("0_b", Nd4j.zeros(DataType.DOUBLE, 1, 4));
    INDArray x = Networks.gaussian(1, 6, 3);
    x.putRow(0, Nd4j.zeros(DataType.DOUBLE, 3));
    MultiDataSet data = new DataSet(x, Networks.oneHot(6, 2)).toMultiDataSet();
    try (HessianSharpness sharpness = HessianSharpness.of(model, data)) {
      assertThatThrownBy(() -> sharpness.largest(model.params(), 1, 1e-6, 50))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("an input of a rectifier is 0");
    }
  }

  private static double[][] besideKinks(MultiLayerNetwork model, INDArray x, INDArray y) {
    INDArray w = model.getLayer(0).getParam("W");
    INDArray b = model.getLayer(0).getParam("b");
    INDArray a = model.getLayer(1).getParam("W");
    double c = model.getLayer(1).getParam("b").getDouble(0);
    int width = (int) w.size(1);
    int examples = (int) x.size(0);
    int size = 4 * width + 1; // for every unit w_1, w_2, b and a; then c
    double[][] hessian = new double[size][size];
    for (int i = 0; i < examples; i++) {
      double[] input = {x.getDouble(i, 0), x.getDouble(i, 1), 1};
      double[] gradient = new double[size];
      gradient[4 * width] = 1;
      double f = c;
      boolean[] active = new boolean[width];
      for (int k = 0; k < width; k++) {
        double z = input[0] * w.getDouble(0, k) + input[1] * w.getDouble(1, k) + b.getDouble(k);
        active[k] = z > 0;
        if (active[k]) {
          f += a.getDouble(k) * z;
          gradient[4 * k + 3] = z;
          for (int d = 0; d < 3; d++) {
            gradient[4 * k + d] = a.getDouble(k) * input[d];
          }
        }
      }
      for (int p = 0; p < size; p++) {
        for (int q = 0; q < size; q++) {
          hessian[p][q] += 2 * gradient[p] * gradient[q] / examples;
        }
      }
      double residual = 2 * (f - y.getDouble(i)) / examples;
      for (int k = 0; k < width; k++) {
        for (int d = 0; active[k] && d < 3; d++) {
          hessian[4 * k + d][4 * k + 3] += residual * input[d];
          hessian[4 * k + 3][4 * k + d] += residual * input[d];
        }
      }
    }
    return hessian;
  }

  @Test
  void refusesAnotherLengthAndWhatIsNotFinite() {
    Model model = network(false, DataType.DOUBLE);
    double[] entries = new double[26];
    Arrays.fill(entries, Double.NaN);
    INDArray notFinite = Nd4j.createFromArray(entries);
    try (HessianSharpness sharpness = HessianSharpness.of(model, DATA.toMultiDataSet())) {
      assertThatThrownBy(() -> sharpness.largest(Networks.gaussian(1, 7), 1, 1e-6, 10))
          .hasMessageContaining("length 26, got 7");
      assertThatThrownBy(() -> sharpness.largest(notFinite, 1, 1e-6, 10))
          .hasMessageContaining("must be finite");
    }
  }
}
