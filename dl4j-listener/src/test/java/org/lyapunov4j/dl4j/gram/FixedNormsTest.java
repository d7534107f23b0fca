// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** J Π Jᵀ against rows of J by Deeplearning4j's own gradients. */
class FixedNormsTest {
  /** Two vectors in every array, with some parameters in neither. */
  private static int[] vectors(MultiLayerNetwork model) {
    RandomStream random = new RandomStream(4);
    int[] vectors = new int[(int) model.numParams()];
    int at = 0;
    int before = 0;
    for (var layer : model.getLayers()) {
      for (INDArray array : layer.paramTable().values()) {
        for (int p = 0; p < array.length(); p++) {
          int which = p < 2 ? p + 1 : random.nextInt(3); // both are in every array
          vectors[at++] = which == 0 ? 0 : before + which;
        }
        before += 2;
      }
    }
    return vectors;
  }

  private static double[][] projected(double[][] jacobian, double[] parameters, int[] vectors) {
    int count = Arrays.stream(vectors).max().getAsInt();
    double[][] result = new double[jacobian.length][];
    for (int r = 0; r < result.length; r++) {
      result[r] = jacobian[r].clone();
      for (int u = 1; u <= count; u++) {
        double square = 0;
        double product = 0;
        for (int p = 0; p < vectors.length; p++) {
          square += vectors[p] == u ? parameters[p] * parameters[p] : 0;
          product += vectors[p] == u ? parameters[p] * jacobian[r][p] : 0;
        }
        for (int p = 0; p < vectors.length; p++) {
          result[r][p] -= vectors[p] == u ? parameters[p] * product / square : 0;
        }
      }
    }
    return result;
  }

  private static MultiLayerNetwork convolutions() {
    return Networks.network(
        DataType.DOUBLE,
        3,
        InputType.convolutional(5, 5, 2),
        new ConvolutionLayer.Builder(3, 3).nOut(3).activation(Activation.TANH).build(),
        new DenseLayer.Builder().nOut(4).activation(Activation.TANH).build(),
        new OutputLayer.Builder(LossFunction.MSE).nOut(2).activation(Activation.IDENTITY).build());
  }

  private static MultiLayerNetwork series() {
    return Networks.network(
        DataType.DOUBLE,
        3,
        InputType.recurrent(2, 4),
        new LSTM.Builder().nOut(3).activation(Activation.TANH).build(),
        new RnnOutputLayer.Builder(LossFunction.MSE)
            .nOut(2)
            .activation(Activation.IDENTITY)
            .build());
  }

  private static void compare(
      MultiLayerNetwork model, MultiDataSet data, GramMethod method, INDArray weights) {
    int[] vectors = vectors(model);
    double[][] rows =
        projected(NaiveJacobian.of(model, data, false), model.params().toDoubleVector(), vectors);
    double[][] truth =
        NaiveJacobian.gram(weights == null ? rows : NaiveJacobian.weighted(rows, weights));
    try (NtkGram gram =
        NtkGram.builder(model).probe(data).weighting(Weighting.PLAIN).method(method).build()) {
      NtkGramResult result = gram.compute(model.params(), weights, FixedNorms.of(vectors));
      assertThat(Networks.distance(result.gram().toArray(), truth)).isLessThan(1e-12);
      assertThat(result.check().spotDeviation()).isLessThan(1e-12);
      double[][] free = gram.compute(model.params(), weights).gram().toArray();
      assertThat(Networks.distance(free, truth)).isGreaterThan(1e-2);
    }
  }

  @ParameterizedTest
  @EnumSource(GramMethod.class)
  void projectsConvolutionsAndDenseLayers(GramMethod method) {
    MultiDataSet data =
        new MultiDataSet(Networks.gaussian(1, 4, 2, 5, 5), Networks.gaussian(2, 4, 2));
    compare(convolutions(), data, method, null);
  }

  @Test
  void projectsRecurrentLayers() {
    MultiDataSet data =
        new MultiDataSet(Networks.gaussian(1, 4, 2, 4), Networks.gaussian(2, 4, 2, 4));
    compare(series(), data, GramMethod.AUTO, null);
  }

  /** Equal in every array, as learning rates of biases are. */
  @Test
  void projectsWhatIsWeighted() {
    MultiLayerNetwork model = convolutions();
    INDArray weights = Nd4j.zeros(DataType.DOUBLE, model.numParams());
    long at = 0;
    for (var layer : model.getLayers()) {
      for (INDArray array : layer.paramTable().values()) {
        weights
            .get(NDArrayIndex.interval(at, at + array.length()))
            .assign(array.rank() > 2 ? 0.5 : 2);
        at += array.length();
      }
    }
    MultiDataSet data =
        new MultiDataSet(Networks.gaussian(1, 4, 2, 5, 5), Networks.gaussian(2, 4, 2));
    compare(model, data, GramMethod.AUTO, weights);
  }

  @Test
  void refusesVectorsOfAnEmbedding() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            3,
            new EmbeddingLayer.Builder().nIn(5).nOut(3).activation(Activation.TANH).build(),
            new OutputLayer.Builder(LossFunction.MSE)
                .nIn(3)
                .nOut(2)
                .activation(Activation.IDENTITY)
                .build());
    MultiDataSet data =
        new MultiDataSet(Nd4j.createFromArray(new double[][] {{1}, {4}}), Networks.oneHot(2, 2));
    try (NtkGram gram = NtkGram.builder(model).probe(data).build()) {
      FixedNorms norms = FixedNorms.of(vectors(model));
      assertThatThrownBy(() -> gram.compute(model.params(), null, norms))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("as those of an embedding");
    }
  }

  @Test
  void refusesNegativeNumbers() {
    assertThatThrownBy(() -> FixedNorms.of(new int[] {0, -2}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got -2");
  }
}
