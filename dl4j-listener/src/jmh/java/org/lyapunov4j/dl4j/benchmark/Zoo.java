// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.zoo.ZooModel;
import org.deeplearning4j.zoo.model.AlexNet;
import org.deeplearning4j.zoo.model.Darknet19;
import org.deeplearning4j.zoo.model.FaceNetNN4Small2;
import org.deeplearning4j.zoo.model.InceptionResNetV1;
import org.deeplearning4j.zoo.model.LeNet;
import org.deeplearning4j.zoo.model.NASNet;
import org.deeplearning4j.zoo.model.ResNet50;
import org.deeplearning4j.zoo.model.SimpleCNN;
import org.deeplearning4j.zoo.model.SqueezeNet;
import org.deeplearning4j.zoo.model.TextGenerationLSTM;
import org.deeplearning4j.zoo.model.TinyYOLO;
import org.deeplearning4j.zoo.model.UNet;
import org.deeplearning4j.zoo.model.VGG16;
import org.deeplearning4j.zoo.model.VGG19;
import org.deeplearning4j.zoo.model.Xception;
import org.deeplearning4j.zoo.model.YOLO2;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What the listener says of one model of Deeplearning4j's zoo, with its own updater and
 * regularisation, at a small input and a small probe: some steps of training, by default one, with
 * a checkpoint at the last.
 * Memory is the largest resident memory of the process, so that each model gets a process of its
 * own.
 */
final class Zoo {
  private static final int CLASSES = 5;
  private static final int CHARACTERS = 12;

  private final Options options;

  private Zoo(Options options) {
    this.options = options;
  }

  public static void main(String[] args) throws Exception {
    new Zoo(new Options(args, Map.of("model", "LeNet", "examples", "4", "side", "0", "steps", "1"))).run();
    System.exit(0);
  }

  private ZooModel<?> model(int side) {
    int[] colours = {3, side, side};
    return switch (options.text("model")) {
      case "AlexNet" -> AlexNet.builder().inputShape(colours).numClasses(CLASSES).build();
      case "Darknet19" -> Darknet19.builder().inputShape(colours).numClasses(CLASSES).build();
      case "FaceNetNN4Small2" ->
          FaceNetNN4Small2.builder().inputShape(colours).numClasses(CLASSES).build();
      case "InceptionResNetV1" ->
          InceptionResNetV1.builder().inputShape(colours).numClasses(CLASSES).build();
      case "LeNet" ->
          LeNet.builder().inputShape(new int[] {1, side, side}).numClasses(CLASSES).build();
      case "NASNet" -> NASNet.builder().inputShape(colours).numClasses(CLASSES).build();
      case "ResNet50" -> ResNet50.builder().inputShape(colours).numClasses(CLASSES).build();
      case "SimpleCNN" -> SimpleCNN.builder().inputShape(colours).numClasses(CLASSES).build();
      case "SqueezeNet" -> SqueezeNet.builder().inputShape(colours).numClasses(CLASSES).build();
      case "TextGenerationLSTM" ->
          TextGenerationLSTM.builder()
              .totalUniqueCharacters(CHARACTERS)
              .inputShape(new int[] {side, CHARACTERS})
              .maxLength(side)
              .build();
      case "TinyYOLO" -> TinyYOLO.builder().inputShape(colours).numClasses(CLASSES).build();
      case "UNet" -> UNet.builder().inputShape(colours).build();
      case "VGG16" -> VGG16.builder().inputShape(colours).numClasses(CLASSES).build();
      case "VGG19" -> VGG19.builder().inputShape(colours).numClasses(CLASSES).build();
      case "Xception" -> Xception.builder().inputShape(colours).numClasses(CLASSES).build();
      case "YOLO2" -> YOLO2.builder().inputShape(colours).numClasses(CLASSES).build();
      default -> throw new IllegalArgumentException("no such model, got " + options.text("model"));
    };
  }

  private int side() {
    int side = (int) options.number("side");
    return side > 0
        ? side
        : switch (options.text("model")) {
          case "LeNet" -> 28;
          case "SimpleCNN" -> 48;
          case "AlexNet", "Xception", "SqueezeNet" -> 96;
          case "FaceNetNN4Small2" -> 96;
          case "InceptionResNetV1" -> 160;
          case "NASNet" -> 64;
          case "TextGenerationLSTM" -> 8;
          case "UNet" -> 16;
          case "TinyYOLO", "YOLO2" -> 64;
          default -> 32;
        };
  }

  private void run() throws Exception {
    int side = side();
    Model model = model(side).init();
    DataSet data = data(model, (int) options.number("examples"), side);
    LyapunovListener listener =
        LyapunovListener.builder(data)
            .frequency(1)
            .settings(
                AnalysisSettings.of(Tier.ECONOMY)
                    .withBatchSize(data.numExamples())
                    .withComparison(SizeComparison.NONE))
            .build();
    for (int step = 1; step < (int) options.number("steps"); step++) {
      fit(model, data);
    }
    model.setListeners(listener);
    long start = System.nanoTime();
    fit(model, data);
    double seconds = (System.nanoTime() - start) / 1e9;
    if (listener.history().isEmpty()) {
      System.out.printf("| %s | no checkpoint, %s |%n", options.text("model"), listener.status());
      return;
    }
    print(model, data, listener.history().get(listener.history().size() - 1), seconds);
  }

  private static void fit(Model model, DataSet data) {
    if (model instanceof MultiLayerNetwork network) {
      network.fit(data);
    } else {
      ((ComputationGraph) model).fit(data);
    }
  }

  private void print(Model model, DataSet data, Checkpoint checkpoint, double seconds)
      throws Exception {
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %.1f M | %d × %d | %s | %s | %.1f | %.1f | %.1f |%n",
        options.text("model"),
        side(),
        model.numParams() / 1e6,
        data.numExamples(),
        checkpoint.findings().outputs(),
        checkpoint.level().kind(),
        checkpoint.edge().orElse("–"),
        checkpoint.gramTime().toMillis() / 1e3,
        seconds,
        peakGigabytes());
    System.out.println("  " + checkpoint.step());
  }

  private static double peakGigabytes() throws Exception {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return Double.NaN;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / (1 << 20))
        .sum();
  }

  private static DataSet data(Model model, int examples, int side) {
    if (model instanceof MultiLayerNetwork network
        && network.getLayer(0).conf().getLayer().getClass().getSimpleName().contains("LSTM")) {
      return characters(examples, side);
    }
    boolean grey = model instanceof MultiLayerNetwork network && network.getLayer(0)
            instanceof org.deeplearning4j.nn.layers.convolution.ConvolutionLayer first
        && first.getParam("W").size(1) == 1;
    INDArray features = normal(examples, grey ? 1 : 3, side, side);
    INDArray output =
        model instanceof MultiLayerNetwork network
            ? network.output(features)
            : ((ComputationGraph) model).outputSingle(features);
    return new DataSet(features, labels(output));
  }

  private static INDArray normal(long... shape) {
    INDArray array = Nd4j.create(DataType.FLOAT, shape);
    RandomStream random = new RandomStream(1);
    for (long i = 0; i < array.length(); i++) {
      array.putScalar(i, random.nextGaussian());
    }
    return array;
  }

  private static DataSet characters(int examples, int steps) {
    INDArray text = Nd4j.zeros(DataType.FLOAT, examples, CHARACTERS, steps + 1);
    RandomStream random = new RandomStream(1);
    for (int i = 0; i < examples; i++) {
      for (int t = 0; t <= steps; t++) {
        text.putScalar(new int[] {i, random.nextInt(CHARACTERS), t}, 1);
      }
    }
    var all = org.nd4j.linalg.indexing.NDArrayIndex.all();
    return new DataSet(
        text.get(all, all, org.nd4j.linalg.indexing.NDArrayIndex.interval(0, steps)).dup(),
        text.get(all, all, org.nd4j.linalg.indexing.NDArrayIndex.interval(1, steps + 1)).dup());
  }

  /** Classes in turn; for a segmentation every other pixel; for YOLO one box in the first cell. */
  private static INDArray labels(INDArray output) {
    int examples = (int) output.size(0);
    if (output.rank() == 2) {
      INDArray labels = Nd4j.zeros(DataType.FLOAT, output.shape());
      for (int i = 0; i < examples; i++) {
        labels.putScalar(new int[] {i, i % (int) output.size(1)}, 1);
      }
      return labels;
    }
    if (output.size(1) == 1) {
      INDArray labels = Nd4j.zeros(DataType.FLOAT, output.shape());
      for (long i = 0; i < labels.length(); i += 2) {
        labels.putScalar(i, 1);
      }
      return labels;
    }
    INDArray labels =
        Nd4j.zeros(DataType.FLOAT, examples, 4 + CLASSES, output.size(2), output.size(3));
    double[] box = {0.1, 0.2, 0.9, 0.8, 1};
    for (int i = 0; i < examples; i++) {
      for (int c = 0; c < box.length; c++) {
        labels.putScalar(new int[] {i, c, 0, 0}, box[c]);
      }
    }
    return labels;
  }
}
