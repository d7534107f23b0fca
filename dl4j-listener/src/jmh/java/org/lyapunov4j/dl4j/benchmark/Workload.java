// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.zip.GZIPInputStream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A network, mini-batches to train it with and a probe. Data are noise of the right size, but for
 * the digits: how long an analysis takes depends on the spectrum, and noise has one of the hardest.
 */
record Workload(
    String name, Supplier<MultiLayerNetwork> network, List<DataSet> batches, DataSet probe) {

  static final List<String> NAMES = List.of("mlp", "lenet", "lstm");

  /** From the folder of the module. */
  private static final Path DIGITS =
      Path.of(
          "../samples/program/src/main/resources/org/lyapunov4j/samples/data/optdigits-1797.csv.gz");

  static Workload of(String name) {
    return switch (name) {
      case "mlp" ->
          new Workload(
              "digits MLP 64-64-64-10, B = 32",
              Workload::mlp,
              digits(0, 1024).batchBy(32),
              digits(1024, 1124));
      case "lenet" ->
          new Workload(
              "LeNet 28×28, B = 64", Workload::lenet, data(4, 64, 784).batchBy(64), data(1, 50, 784));
      case "lstm" ->
          new Workload(
              "LSTM 16→64, 20 steps, B = 32",
              Workload::lstm,
              data(8, 32, 16, 20).batchBy(32),
              data(1, 50, 16, 20));
      default ->
          throw new IllegalArgumentException("a model must be one of " + NAMES + ", got " + name);
    };
  }

  void train(MultiLayerNetwork model, int from, int steps) {
    for (int t = from; t < from + steps; t++) {
      model.fit(batches.get(t % batches.size()));
    }
  }

  private static MultiLayerNetwork mlp() {
    return initialised(
        configuration()
            .list()
            .layer(new DenseLayer.Builder().nIn(64).nOut(64).activation(Activation.TANH).build())
            .layer(new DenseLayer.Builder().nIn(64).nOut(64).activation(Activation.TANH).build())
            .layer(
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(64)
                    .nOut(10)
                    .activation(Activation.IDENTITY)
                    .build())
            .build());
  }

  private static MultiLayerNetwork lenet() {
    return initialised(
        configuration()
            .list()
            .layer(convolution(20))
            .layer(pooling())
            .layer(convolution(50))
            .layer(pooling())
            .layer(new DenseLayer.Builder().nOut(500).activation(Activation.RELU).build())
            .layer(classes())
            .setInputType(InputType.convolutionalFlat(28, 28, 1))
            .build());
  }

  private static MultiLayerNetwork lstm() {
    return initialised(
        configuration()
            .list()
            .layer(new LastTimeStep(new LSTM.Builder().nIn(16).nOut(64).build()))
            .layer(classes())
            .setInputType(InputType.recurrent(16, 20))
            .build());
  }

  private static NeuralNetConfiguration.Builder configuration() {
    return new NeuralNetConfiguration.Builder()
        .seed(1)
        .dataType(DataType.FLOAT)
        .updater(new Sgd(0.01));
  }

  private static ConvolutionLayer convolution(int channels) {
    return new ConvolutionLayer.Builder(5, 5)
        .nOut(channels)
        .stride(1, 1)
        .activation(Activation.RELU)
        .build();
  }

  private static SubsamplingLayer pooling() {
    return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
        .kernelSize(2, 2)
        .stride(2, 2)
        .build();
  }

  private static OutputLayer classes() {
    return new OutputLayer.Builder(LossFunction.MCXENT)
        .nOut(10)
        .activation(Activation.SOFTMAX)
        .build();
  }

  private static MultiLayerNetwork initialised(MultiLayerConfiguration configuration) {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    return network;
  }

  /** Lines of sixty-four pixels of 0 to 16 and a label. */
  private static DataSet digits(int from, int to) {
    float[][] pixels = new float[to - from][];
    float[][] labels = new float[to - from][10];
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(DIGITS)), StandardCharsets.US_ASCII))) {
      List<String> some = lines.lines().skip(from).limit(to - from).toList();
      for (int i = 0; i < some.size(); i++) {
        String[] fields = some.get(i).split(",");
        pixels[i] = new float[64];
        for (int j = 0; j < 64; j++) {
          pixels[i][j] = Float.parseFloat(fields[j]) / 16;
        }
        labels[i][Integer.parseInt(fields[64])] = 1;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new DataSet(Nd4j.createFromArray(pixels), Nd4j.createFromArray(labels));
  }

  /** Normal features, one-hot labels of ten classes. */
  private static DataSet data(int batches, int size, long... shape) {
    RandomStream random = new RandomStream(batches);
    int examples = batches * size;
    long width = 1;
    for (long length : shape) {
      width *= length;
    }
    float[] features = new float[Math.toIntExact(examples * width)];
    for (int i = 0; i < features.length; i++) {
      features[i] = (float) random.nextGaussian();
    }
    float[] labels = new float[10 * examples];
    for (int i = 0; i < examples; i++) {
      labels[10 * i + random.nextInt(10)] = 1;
    }
    long[] full = new long[shape.length + 1];
    full[0] = examples;
    System.arraycopy(shape, 0, full, 1, shape.length);
    INDArray x = Nd4j.createFromArray(features).reshape('c', full);
    return new DataSet(x, Nd4j.createFromArray(labels).reshape('c', examples, 10));
  }
}
