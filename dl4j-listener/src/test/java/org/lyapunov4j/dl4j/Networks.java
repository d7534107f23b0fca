// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks and data for tests, made without ND4J's global generator. */
public final class Networks {
  private Networks() {}

  /** A builder with the given updater, data type and workspaces at their defaults. */
  public static NeuralNetConfiguration.Builder configuration(IUpdater updater, DataType type) {
    return new NeuralNetConfiguration.Builder().seed(11).dataType(type).updater(updater);
  }

  /** tanh hidden layer, linear output, mean squared error. */
  public static MultiLayerNetwork regression(
      NeuralNetConfiguration.Builder builder, int inputs, int hidden, int outputs) {
    return initialise(
        builder
            .list()
            .layer(
                new DenseLayer.Builder()
                    .nIn(inputs)
                    .nOut(hidden)
                    .activation(Activation.TANH)
                    .build())
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(hidden)
                    .nOut(outputs)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        31);
  }

  /**
   * A network whose parameters are drawn from our own stream, N(0, 1)/√fan-in of the first layer.
   */
  public static MultiLayerNetwork initialise(MultiLayerConfiguration configuration, long seed) {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    double scale = 1 / Math.sqrt((double) network.getLayer(0).getParam("W").size(0));
    network.setParams(
        gaussian(seed, scale, network.params().dataType(), 1, network.numParams())
            .reshape(network.numParams()));
    return network;
  }

  /** Parameters at about the given distance per coordinate. */
  public static INDArray nearby(INDArray parameters, double distance, RandomStream random) {
    return gaussian(random, distance, parameters.dataType(), 1, parameters.length())
        .reshape(parameters.length())
        .addi(parameters);
  }

  /** Independent normal features and labels. */
  public static DataSet data(long seed, int examples, int inputs, int outputs, DataType type) {
    return new DataSet(
        gaussian(seed, 1, type, examples, inputs),
        gaussian(seed + 1, 0.5, type, examples, outputs));
  }

  private static INDArray gaussian(
      long seed, double scale, DataType type, long rows, long columns) {
    return gaussian(new RandomStream(seed), scale, type, rows, columns);
  }

  private static INDArray gaussian(
      RandomStream random, double scale, DataType type, long rows, long columns) {
    double[][] values = new double[(int) rows][(int) columns];
    for (double[] row : values) {
      for (int j = 0; j < row.length; j++) {
        row[j] = scale * random.nextGaussian();
      }
    }
    return Nd4j.create(values).castTo(type);
  }
}
