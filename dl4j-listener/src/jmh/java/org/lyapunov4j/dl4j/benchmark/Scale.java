// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import com.sun.management.OperatingSystemMXBean;
import java.io.DataInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.gram.FactorSweep;
import org.lyapunov4j.dl4j.gram.NtkFactors;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * What an analysis without a Gram matrix takes: {@code dense|lenet|lstm N IMAGES LABELS
 * [gram|step]}, with MNIST's files in IDX format, gzipped; more examples than they hold are copies
 * with noise. With {@code gram} the matrix is formed and analysed too, with {@code step} only a
 * step is timed.
 */
final class Scale {
  private static final int CLASSES = 10;
  private static final int PIXELS = 784;
  private static final int BATCH = 32;
  private static final int SERIES = 100;
  private static final double RATE = 0.05;
  private static final int ITERATIONS = 200;
  private static final int KERNEL_STEPS = 60;

  private Scale() {}

  /** See the class. */
  public static void main(String[] arguments) throws IOException {
    int examples = Integer.parseInt(arguments[1]);
    DataSet flat = data(examples, Path.of(arguments[2]), Path.of(arguments[3]));
    DataSet data = arguments[0].equals("lstm") ? series(flat) : flat;
    MultiLayerNetwork network = network(arguments[0]);
    for (int i = 0; i < ITERATIONS; i++) {
      network.fit(batch(data, i * BATCH % (examples - BATCH)));
    }
    long start = now();
    NtkFactors factors;
    long budget = Runtime.getRuntime().maxMemory() / 2;
    try (FactorSweep sweep =
        FactorSweep.of(network, data.toMultiDataSet(), budget, () -> false)) {
      factors = sweep.compute(network.params(), null);
    }
    int outputs = factors.outputs();
    print(
        "%s: N = %d, K = %d, m = %d, P = %d; factors %.0f MB in %.1f s of processor time",
        arguments[0],
        examples,
        outputs,
        examples * outputs,
        factors.dimension(),
        factors.bytes() * 1e-6,
        seconds(start));
    kernel(arguments[0], factors);
    String more = arguments.length > 4 ? arguments[4] : "";
    if (more.equals("step")) {
      memory();
      return;
    }
    SgdStep step = SgdStep.of(RATE, BATCH);
    StabilityAnalyzer analyzer = StabilityAnalyzer.builder().tier(Tier.STANDARD).build();
    start = now();
    report("factors", analyzer.analyze(factors, step), seconds(start));
    memory();
    if (more.equals("gram")) {
      start = now();
      GramMatrix gram;
      try (NtkGram ntk = NtkGram.builder(network).probe(data).spotChecks(0).build()) {
        gram = ntk.compute(network.params()).gram();
      }
      print("Gram matrix in %.1f s of processor time", seconds(start));
      start = now();
      report("matrix", analyzer.analyze(gram, step), seconds(start));
      memory();
    }
  }

  /** Of the processors, all threads together: a busy machine does not count. */
  private static long now() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static double seconds(long start) {
    return (now() - start) * 1e-9;
  }

  private static long threadNow() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }

  private static void report(String form, StabilityReport report, double seconds) {
    CriticalLearningRate edge = report.criticalLearningRate().orElseThrow();
    print(
        "%s: sharpness %.6g, η_c %.4g in [%.4g, %.4g], λ %s (%s), %s, %.1f s of processor time",
        form,
        report.sharpness(),
        edge.value(),
        edge.low(),
        edge.high(),
        report.exponent(),
        report.exponent().sign(),
        report.verdict().kind(),
        seconds);
  }

  /**
   * A step beside its two floors: reading its factors once at the rate of a copy, and its flops at
   * the rate of its inner loop in the first cache, all in this run; of one vector, and of one of
   * four, which are half of a sweep's.
   */
  private static void kernel(String kind, NtkFactors factors) {
    double bytes = (double) factors.bytes() / factors.examples() * BATCH;
    double ofBytes = bytes / copyRate();
    double flops = flops(kind, factors) * BATCH;
    double ofFlops = flops / loopRate();
    for (int vectors : new int[] {1, 4}) {
      double time = step(factors, vectors) / vectors;
      print(
          "step of B = %d, each of %d: %.3f ms, %.1f MFLOP at %.1f GFLOPS; floors: %.2f MB at the"
              + " copy's rate %.3f ms, flops at the loop's rate %.3f ms; %.1f times the larger",
          BATCH,
          vectors,
          time * 1e3,
          flops * 1e-6,
          flops / time * 1e-9,
          bytes * 1e-6,
          ofBytes * 1e3,
          ofFlops * 1e3,
          time / Math.max(ofBytes, ofFlops));
    }
  }

  /** Seconds of a step of some vectors, the best of five rounds. */
  private static double step(NtkFactors factors, int vectors) {
    double[][] z = new double[vectors][];
    for (int j = 0; j < vectors; j++) {
      z[j] = new RandomStream(1).split(j).gaussians(factors.dimension());
    }
    double[][] u = new double[vectors][BATCH * factors.outputs()];
    TangentOperator.Products products = factors.products(BATCH);
    RandomStream random = new RandomStream(2);
    int[] batch = new int[BATCH];
    double best = Double.POSITIVE_INFINITY;
    for (int round = 0; round < 5; round++) {
      long start = threadNow();
      for (int s = 0; s < KERNEL_STEPS; s++) {
        for (int b = 0; b < BATCH; b++) {
          batch[b] = random.nextInt(factors.examples());
        }
        products.select(batch, BATCH);
        products.outputs(z, u);
        for (double[] of : u) {
          for (int j = 0; j < of.length; j++) {
            of[j] *= -1e-6;
          }
        }
        products.addGradient(u, z);
      }
      best = Math.min(best, ((threadNow() - start) * 1e-9) / KERNEL_STEPS);
    }
    return best;
  }

  /** Of an example: twice two for each weight and position, or for each number of a row. */
  private static double flops(String kind, NtkFactors factors) {
    double outputs = factors.outputs();
    double parameters = factors.dimension();
    return 4
        * switch (kind) {
          case "dense" -> parameters + outputs * (200 + 200 + CLASSES);
          case "lenet" -> {
            int second = 64; // positions of the second convolution
            yield outputs * 520 // rows of the first
                + second * (25050 + outputs * 50)
                + (parameters - 520 - 25050)
                + outputs * (500 + CLASSES);
          }
          default -> outputs * parameters;
        };
  }

  /** Flops a second of c += x₀ y₀ + x₁ y₁ + x₂ y₂ + x₃ y₃ on rows of 256 numbers. */
  private static double loopRate() {
    double[][] rows = new double[5][256];
    double best = 0;
    for (int round = 0; round < 20; round++) {
      long start = threadNow();
      for (int repeat = 0; repeat < 100_000; repeat++) {
        loop(1e-3, 1e-3, 1e-3, repeat, rows[0], rows[1], rows[2], rows[3], rows[4]);
      }
      double flops = 8.0 * 256 * 100_000;
      best = Math.max(best, flops / ((threadNow() - start) * 1e-9));
    }
    return best;
  }

  private static void loop(
      double x0,
      double x1,
      double x2,
      double x3,
      double[] y0,
      double[] y1,
      double[] y2,
      double[] y3,
      double[] c) {
    for (int j = 0; j < c.length; j++) {
      c[j] += (x0 * y0[j] + x1 * y1[j]) + (x2 * y2[j] + x3 * y3[j]);
    }
  }

  /** Bytes a second, half read and half written. */
  private static double copyRate() {
    double[] from = new double[1 << 23];
    double[] to = new double[from.length];
    double best = 0;
    for (int round = 0; round < 9; round++) {
      long start = threadNow();
      System.arraycopy(from, 0, to, 0, from.length);
      best = Math.max(best, 2.0 * Double.BYTES * from.length / ((threadNow() - start) * 1e-9));
    }
    return best;
  }

  private static void memory() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM")) {
        print("peak resident memory %s", line.substring(6).trim());
      }
    }
  }

  private static MultiLayerNetwork network(String kind) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder().seed(7).updater(new Sgd(RATE)).list();
    switch (kind) {
      case "dense" ->
          list.layer(dense(PIXELS, 200)).layer(dense(200, 200)).layer(output(200));
      case "lenet" ->
          list.layer(convolution(20))
              .layer(pooling())
              .layer(convolution(50))
              .layer(pooling())
              .layer(new DenseLayer.Builder().nOut(500).activation(Activation.RELU).build())
              .layer(output(500))
              .setInputType(InputType.convolutionalFlat(28, 28, 1));
      case "lstm" ->
          list.layer(new LSTM.Builder().nIn(8).nOut(32).activation(Activation.TANH).build())
              .layer(
                  new RnnOutputLayer.Builder(LossFunction.MCXENT)
                      .activation(Activation.SOFTMAX)
                      .nIn(32)
                      .nOut(CLASSES)
                      .build());
      default -> throw new IllegalArgumentException("dense, lenet or lstm, got " + kind);
    }
    MultiLayerNetwork network = new MultiLayerNetwork(list.build());
    network.init();
    return network;
  }

  private static DenseLayer dense(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(Activation.TANH).build();
  }

  private static ConvolutionLayer convolution(int out) {
    return new ConvolutionLayer.Builder(5, 5).nOut(out).activation(Activation.RELU).build();
  }

  private static SubsamplingLayer pooling() {
    return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
        .kernelSize(2, 2)
        .stride(2, 2)
        .build();
  }

  private static OutputLayer output(int in) {
    return new OutputLayer.Builder(LossFunction.MCXENT)
        .activation(Activation.SOFTMAX)
        .nIn(in)
        .nOut(CLASSES)
        .build();
  }

  private static DataSet batch(DataSet data, int from) {
    DataSet batch = new DataSet();
    var rows = NDArrayIndex.interval(from, from + BATCH);
    batch.setFeatures(data.getFeatures().get(rows).dup());
    batch.setLabels(data.getLabels().get(rows).dup());
    if (data.getLabelsMaskArray() != null) {
      batch.setLabelsMaskArray(data.getLabelsMaskArray().get(rows).dup());
    }
    return batch;
  }

  private static DataSet data(int examples, Path images, Path labels) throws IOException {
    float[][] features = new float[examples][PIXELS];
    float[][] targets = new float[examples][CLASSES];
    RandomStream random = new RandomStream(3);
    try (DataInputStream pixels = open(images);
        DataInputStream classes = open(labels)) {
      int given = header(pixels, 4);
      header(classes, 2);
      for (int i = 0; i < examples; i++) {
        if (i < given) {
          for (int p = 0; p < PIXELS; p++) {
            features[i][p] = pixels.readUnsignedByte() / 255f;
          }
          targets[i][classes.readUnsignedByte()] = 1;
        } else {
          targets[i] = targets[i % given].clone();
          for (int p = 0; p < PIXELS; p++) {
            features[i][p] = features[i % given][p] + 0.05f * (float) random.nextGaussian();
          }
        }
      }
    }
    return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(targets));
  }

  private static DataInputStream open(Path path) throws IOException {
    return new DataInputStream(new GZIPInputStream(Files.newInputStream(path), 1 << 16));
  }

  /** The first size of an IDX header of so many words. */
  private static int header(DataInputStream input, int words) throws IOException {
    int size = 0;
    for (int w = 0; w < words; w++) {
      int word = input.readInt();
      size = w == 1 ? word : size;
    }
    return size;
  }

  /** The pixels as a series, eight at a step, with a label at the last one. */
  private static DataSet series(DataSet flat) {
    int examples = flat.numExamples();
    INDArray steps = Nd4j.zeros(DataType.FLOAT, examples, SERIES, 8);
    steps
        .reshape('c', examples, SERIES * 8L)
        .get(
            NDArrayIndex.all(),
            NDArrayIndex.interval(0, PIXELS))
        .assign(flat.getFeatures());
    INDArray labels = Nd4j.zeros(DataType.FLOAT, examples, CLASSES, SERIES);
    INDArray mask = Nd4j.zeros(DataType.FLOAT, examples, SERIES);
    var all = NDArrayIndex.all();
    var last = NDArrayIndex.point(SERIES - 1);
    labels.get(all, all, last).assign(flat.getLabels());
    mask.get(all, last).assign(1);
    return new DataSet(steps.permute(0, 2, 1).dup('c'), labels, null, mask);
  }
}
