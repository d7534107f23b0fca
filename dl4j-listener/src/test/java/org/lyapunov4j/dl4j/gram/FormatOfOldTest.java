// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Models of old, and those made without input types, say nothing of the format of their series. */
class FormatOfOldTest {
  private static MultiLayerNetwork network(RNNFormat format) {
    RnnOutputLayer.Builder output =
        new RnnOutputLayer.Builder(LossFunction.MSE).nIn(3).nOut(2).activation(Activation.IDENTITY);
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .list()
                .layer(new LSTM.Builder().nIn(2).nOut(3).build())
                .layer(format == null ? output.build() : output.dataFormat(format).build())
                .build());
    network.init();
    if (format == null) {
      RnnOutputLayer conf = (RnnOutputLayer) network.getLayer(1).conf().getLayer();
      conf.setRnnDataFormat(null); // as in a file of old
    }
    INDArray zeros = network.params().mul(0);
    network.setParams(org.lyapunov4j.dl4j.Networks.nearby(zeros, 0.4, new RandomStream(2)));
    return network;
  }

  @Test
  void noFormatIsThatOfTimeStepsLastWithAndWithoutChecks() {
    DataSet flat = org.lyapunov4j.dl4j.Networks.data(1, 4, 2 * 5, 2 * 5, DataType.DOUBLE);
    DataSet data =
        new DataSet(
            flat.getFeatures().reshape('c', 4, 2, 5), flat.getLabels().reshape('c', 4, 2, 5));
    double[][] expected = gram(network(RNNFormat.NCW), data, 2);
    assertThat(gram(network(null), data, 0)).isDeepEqualTo(expected);
    assertThat(gram(network(null), data, 2)).isDeepEqualTo(expected);
  }

  private static double[][] gram(MultiLayerNetwork network, DataSet data, int checks) {
    try (NtkGram gram = NtkGram.builder(network).probe(data).spotChecks(checks).build()) {
      NtkGramResult result = gram.compute(network.params());
      assertThat(result.check().spotRows()).isEqualTo(checks);
      double[][] rows = new double[result.gram().size()][result.gram().size()];
      for (int i = 0; i < rows.length; i++) {
        result.gram().copyRow(i, rows[i]);
      }
      return rows;
    }
  }
}
