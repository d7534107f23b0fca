// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Watches an LSTM, trained with momentum, that learns the running mean of a series. */
class WatchLstm {
  public static void main(String[] args) {
    run().forEach(System.out::println);
  }

  static List<Checkpoint> run() {
    int length = 6;
    Random random = new Random(1);
    float[][][] x = new float[24][1][length];
    float[][][] y = new float[24][1][length];
    for (int i = 0; i < x.length; i++) {
      float sum = 0;
      for (int t = 0; t < length; t++) {
        x[i][0][t] = (float) random.nextGaussian();
        sum += x[i][0][t];
        y[i][0][t] = sum / (t + 1);
      }
    }
    DataSet data = new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y));
    var configuration =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Nesterovs(0.01, 0.9))
            .list(
                new LSTM.Builder().nIn(1).nOut(8).build(),
                new RnnOutputLayer.Builder(LossFunction.MSE)
                    .nIn(8)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build());
    MultiLayerNetwork network = new MultiLayerNetwork(configuration.build());
    network.init();
    try (LyapunovListener listener = LyapunovListener.builder(data).frequency(100).build()) {
      network.addListeners(listener);
      network.fit(new ListDataSetIterator<>(data.asList(), 8), 100); // 300 iterations
      return listener.history();
    }
  }
}
