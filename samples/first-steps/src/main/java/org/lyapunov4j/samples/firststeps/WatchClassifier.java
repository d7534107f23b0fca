// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Shows how far a classifier's SGD is from its edge while it learns to tell two spirals apart. */
class WatchClassifier {
  public static void main(String[] args) {
    run().forEach(System.out::println);
  }

  static List<Checkpoint> run() {
    double[][] x = new double[60][];
    double[][] y = new double[60][];
    for (int i = 0; i < 60; i++) {
      double angle = i / 20.0 + Math.PI * (i % 2); // two arms, opposite to each other
      x[i] = new double[] {i / 60.0 * Math.cos(angle), i / 60.0 * Math.sin(angle)};
      y[i] = i % 2 == 0 ? new double[] {1, 0} : new double[] {0, 1};
    }
    DataSet data = new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y));
    var configuration =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .dataType(DataType.DOUBLE)
            .updater(new Sgd(0.1))
            .list(
                new DenseLayer.Builder().nIn(2).nOut(20).activation(Activation.TANH).build(),
                new OutputLayer.Builder(LossFunction.MCXENT)
                    .nIn(20)
                    .nOut(2)
                    .activation(Activation.SOFTMAX)
                    .build());
    MultiLayerNetwork network = new MultiLayerNetwork(configuration.build());
    network.init();
    var builder = LyapunovListener.builder(data).frequency(100);
    try (LyapunovListener listener = builder.build()) {
      network.addListeners(listener);
      network.fit(new ListDataSetIterator<>(data.asList(), 10), 50); // 300 iterations
      return listener.history();
    }
  }
}
