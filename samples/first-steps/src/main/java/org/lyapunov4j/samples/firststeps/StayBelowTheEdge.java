// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LearningRateControl;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Acts on what is seen: where the learning rate is above 0.8 of the critical one, it goes down. */
class StayBelowTheEdge {
  public static void main(String[] args) {
    run().forEach(System.out::println);
  }

  static List<Checkpoint> run() {
    double[][] x = new double[24][1];
    double[][] y = new double[24][1];
    for (int i = 0; i < 24; i++) {
      x[i][0] = i / 12.0 - 1;
      y[i][0] = Math.sin(3 * x[i][0]);
    }
    DataSet data = new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y));
    var configuration =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Sgd(0.5))
            .list(
                new DenseLayer.Builder().nIn(1).nOut(24).activation(Activation.TANH).build(),
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(24)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build());
    MultiLayerNetwork network = new MultiLayerNetwork(configuration.build());
    network.init();
    var builder = LyapunovListener.builder(data).frequency(50);
    builder.intervene(LearningRateControl.lowerTo(0.8)); // this changes training
    try (LyapunovListener listener = builder.build()) {
      network.addListeners(listener);
      network.fit(new ListDataSetIterator<>(data.asList(), 4), 70); // 420 iterations
      return listener.history();
    }
  }
}
