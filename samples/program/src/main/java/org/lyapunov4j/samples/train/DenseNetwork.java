// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A fully connected network whose parameters are drawn by Xavier's rule. Its output layer is
 * linear, with softmax for cross-entropy.
 *
 * @param hidden widths of the hidden layers
 * @param activation of the hidden layers
 * @param loss of the output layer
 * @param type precision
 */
public record DenseNetwork(
    List<Integer> hidden, Activation activation, LossFunction loss, DataType type) {
  /** {@inheritDoc} */
  public DenseNetwork {
    hidden = List.copyOf(hidden);
  }

  /**
   * The widths of all layers.
   *
   * @param inputs width of the input
   * @param outputs K
   * @return from the input to the output
   */
  public List<Integer> widths(int inputs, int outputs) {
    List<Integer> widths = new ArrayList<>();
    widths.add(inputs);
    widths.addAll(hidden);
    widths.add(outputs);
    return widths;
  }

  /**
   * The number of parameters between hidden layers, or in the hidden layer alone if there is one.
   *
   * @param hidden widths
   * @return a number that does not overflow
   */
  static double hiddenParameters(List<Integer> hidden) {
    double sum = 0;
    double before = 1;
    for (int width : hidden) {
      sum += (before + 1) * width;
      before = width;
    }
    return sum;
  }

  /**
   * The network as Deeplearning4j describes it.
   *
   * @param inputs width of the input
   * @param outputs K
   * @param updater of all parameters
   * @param seed of the initial parameters
   * @return the configuration
   */
  public MultiLayerConfiguration configuration(
      int inputs, int outputs, IUpdater updater, long seed) {
    NeuralNetConfiguration.ListBuilder layers =
        new NeuralNetConfiguration.Builder()
            .seed(seed)
            .dataType(type)
            .weightInit(WeightInit.XAVIER)
            .updater(updater)
            .list();
    List<Integer> widths = widths(inputs, outputs);
    int last = widths.size() - 1;
    for (int i = 1; i < last; i++) {
      layers.layer(
          new DenseLayer.Builder()
              .nIn(widths.get(i - 1))
              .nOut(widths.get(i))
              .activation(activation)
              .build());
    }
    return layers
        .layer(
            new OutputLayer.Builder(loss)
                .nIn(widths.get(last - 1))
                .nOut(outputs)
                .activation(loss == LossFunction.MCXENT ? Activation.SOFTMAX : Activation.IDENTITY)
                .build())
        .build();
  }

  /**
   * A network with its initial parameters, one at a time: Deeplearning4j draws them from the one
   * generator of the process.
   *
   * @param configuration with a seed, which alone decides the parameters
   * @return the network
   */
  public static MultiLayerNetwork initialised(MultiLayerConfiguration configuration) {
    synchronized (DenseNetwork.class) {
      MultiLayerNetwork network = new MultiLayerNetwork(configuration);
      network.init();
      return network;
    }
  }
}
