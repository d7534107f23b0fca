// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Small networks and random arrays for tests, all from derivatives of their own. */
final class Networks {
  private Networks() {}

  private static NeuralNetConfiguration.Builder conf(DataType type) {
    return new NeuralNetConfiguration.Builder()
        .dataType(type)
        .weightInit(WeightInit.ZERO)
        .trainingWorkspaceMode(WorkspaceMode.NONE)
        .inferenceWorkspaceMode(WorkspaceMode.NONE);
  }

  /** A network of layers with Gaussian parameters, biases and gains included. */
  static MultiLayerNetwork network(DataType type, long seed, Layer... layers) {
    return network(type, seed, null, layers);
  }

  /** The same for a type of input, from which preprocessors and sizes follow. */
  static MultiLayerNetwork network(DataType type, long seed, InputType input, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list = conf(type).list();
    for (Layer layer : layers) {
      list.layer(layer.clone());
    }
    if (input != null) {
      list.setInputType(input);
    }
    MultiLayerNetwork network = new MultiLayerNetwork(list.build());
    network.init();
    randomise(network, seed);
    return network;
  }

  /** A graph with Gaussian parameters. */
  static ComputationGraph graph(DataType type, long seed, UnaryOperator<GraphBuilder> build) {
    ComputationGraph graph = new ComputationGraph(build.apply(conf(type).graphBuilder()).build());
    graph.init();
    randomise(graph, seed);
    return graph;
  }

  private static void randomise(Model model, long seed) {
    if (model.numParams() > 0) {
      model.setParams(
          gaussian(seed, model.params().length())
              .muli(0.4)
              .castTo(model.params().dataType())
              .reshape(model.params().shape()));
    }
  }

  /** Standard Gaussian entries in double. */
  static INDArray gaussian(long seed, long... shape) {
    RandomStream random = new RandomStream(seed);
    int length = 1;
    for (long size : shape) {
      length *= (int) size;
    }
    double[] entries = new double[length];
    for (int i = 0; i < length; i++) {
      entries[i] = random.nextGaussian();
    }
    return Nd4j.createFromArray(entries).reshape('c', shape);
  }

  /** Rows with one 1 each. */
  static INDArray oneHot(int rows, int columns) {
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, rows, columns);
    for (int i = 0; i < rows; i++) {
      labels.putScalar(i, (i * 7) % columns, 1);
    }
    return labels;
  }

  /** ‖a − b‖_F / ‖b‖_F. */
  static double distance(double[][] a, double[][] b) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < b.length; i++) {
      for (int j = 0; j < b.length; j++) {
        difference += (a[i][j] - b[i][j]) * (a[i][j] - b[i][j]);
        norm += b[i][j] * b[i][j];
      }
    }
    return Math.sqrt(difference / norm);
  }
}
