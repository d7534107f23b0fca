// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.firststeps;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Watches a graph with a skip connection, trained by Adam on all examples at once. */
class WatchGraph {
  public static void main(String[] args) {
    run().forEach(System.out::println);
  }

  static List<Checkpoint> run() {
    double[][] x = new double[40][1];
    double[][] y = new double[40][1];
    for (int i = 0; i < 40; i++) {
      x[i][0] = i / 20.0 - 1;
      y[i][0] = Math.sin(4 * x[i][0]);
    }
    DataSet data = new DataSet(Nd4j.createFromArray(x), Nd4j.createFromArray(y));
    var loss = new OutputLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY);
    var configuration =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Adam(0.01))
            .activation(Activation.TANH)
            .graphBuilder()
            .addInputs("x")
            .addLayer("a", new DenseLayer.Builder().nIn(1).nOut(16).build(), "x")
            .addLayer("b", new DenseLayer.Builder().nIn(16).nOut(16).build(), "a")
            .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
            .addLayer("y", loss.nIn(16).nOut(1).build(), "sum")
            .setOutputs("y");
    ComputationGraph graph = new ComputationGraph(configuration.build());
    graph.init();
    try (LyapunovListener listener = LyapunovListener.builder(data).frequency(100).build()) {
      graph.addListeners(listener);
      for (int i = 0; i < 301; i++) {
        graph.fit(data);
      }
      return listener.history();
    }
  }
}
