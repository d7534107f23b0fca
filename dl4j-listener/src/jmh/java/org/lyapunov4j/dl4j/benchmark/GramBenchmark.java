// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.Precision;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Times of Gram matrices against what bounds them. All in one process: the rate of a large matrix product, the Gram matrix,
 * one training epoch on the same examples in batches of 32, and the Jacobian by gradients of one example and one output at
 * a time, which is timed on a part of the rows and scaled up.
 */
final class GramBenchmark {
  private static final long WARM_UP_NANOSECONDS = 5_000_000_000L;

  private GramBenchmark() {}

  /**
   * Prints a table.
   *
   * @param args the workloads: one, ten, lenet, large
   */
  public static void main(String[] args) throws IOException {
    System.out.println(
        "| network | N | m | Gram | floor | ratio | gemm | checked | epoch | Gram/epoch | naive |"
            + " naive/Gram | peak heap | peak process |");
    System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (String name : args) {
      report(
          switch (name) {
            case "one" -> GramWorkload.perceptron(1000, 784, 200, 200, 1);
            case "ten" -> GramWorkload.perceptron(500, 784, 200, 200, 10);
            case "lenet" -> GramWorkload.leNet(500);
            case "large" -> GramWorkload.perceptron(2000, 784, 200, 200, 10);
            default ->
                throw new IllegalArgumentException("one, ten, lenet or large, got " + name);
          });
    }
    System.exit(0); // ND4J's threads
  }

  private static void report(GramWorkload w) throws IOException {
    int m = w.examples() * w.outputs();
    resetPeaks();
    double rate = gemmRate();
    double gram = gram(w, 0);
    String memory = peaks();
    rate = Math.max(rate, gemmRate());
    double floor = w.multiplyAdds() / rate;
    double checked = gram(w, 2);
    double epoch = epoch(w);
    double naive = naive(w);
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %d | %.3f s | %.3f s | %.2f | %.0f GFLOP/s | %.3f s | %.3f s | %.2f | %.1f s | %.0f | %s |%n",
        w.name(),
        w.examples(),
        m,
        gram,
        floor,
        gram / floor,
        2e-9 * rate,
        checked,
        epoch,
        gram / epoch,
        naive,
        naive / gram,
        memory);
  }

  private static double gram(GramWorkload w, int spotChecks) {
    try (NtkGram engine =
        NtkGram.builder(w.network())
            .probe(w.data())
            .precision(Precision.FLOAT)
            .spotChecks(spotChecks)
            .build()) {
      INDArray parameters = w.network().params();
      return median(w.multiplyAdds() > 1e11 ? 3 : 15, () -> engine.compute(parameters));
    }
  }

  private static double gemmRate() {
    int n = 2048;
    INDArray a = Nd4j.rand(DataType.FLOAT, n, n);
    INDArray b = Nd4j.rand(DataType.FLOAT, n, n);
    INDArray c = Nd4j.createUninitialized(DataType.FLOAT, new long[] {n, n}, 'f');
    double seconds = median(9, () -> Nd4j.gemm(a, b, c, false, true, 1, 0));
    a.close();
    b.close();
    c.close();
    return (double) n * n * n / seconds;
  }

  private static double epoch(GramWorkload w) {
    MultiLayerNetwork network = w.network().clone();
    ListDataSetIterator<DataSet> batches = new ListDataSetIterator<>(w.data().asList(), 32);
    return median(5, () -> network.fit(batches, 1));
  }

  private static double naive(GramWorkload w) {
    MultiLayerNetwork network = w.network().clone();
    int rows = 100;
    DataSet[] examples = new DataSet[rows];
    for (int i = 0; i < rows; i++) {
      examples[i] = w.data().get(i % w.examples());
    }
    double seconds =
        median(
            3,
            () -> {
              for (DataSet example : examples) {
                network.setInput(example.getFeatures());
                network.setLabels(example.getLabels());
                network.computeGradientAndScore();
              }
            });
    return seconds / rows * w.examples() * w.outputs();
  }

  private static double median(int runs, Runnable action) {
    double[] seconds = new double[runs];
    warmUp(action);
    for (int r = 0; r < runs; r++) {
      long start = System.nanoTime();
      action.run();
      seconds[r] = (System.nanoTime() - start) * 1e-9;
    }
    Arrays.sort(seconds);
    return seconds[runs / 2];
  }

  /** Once, and on until the compiler has had the time. */
  private static void warmUp(Runnable action) {
    long start = System.nanoTime();
    do {
      action.run();
    } while (System.nanoTime() - start < WARM_UP_NANOSECONDS);
  }

  private static void resetPeaks() throws IOException {
    System.gc();
    ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
    Files.writeString(Path.of("/proc/self/clear_refs"), "5");
  }

  /** Of the Java heap, and of the whole process with what ND4J allocates outside. */
  private static String peaks() throws IOException {
    long heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .mapToLong(pool -> pool.getPeakUsage().getUsed())
            .sum();
    long process =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmHWM"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
            .sum();
    return String.format(Locale.ROOT, "%.2f GiB | %.2f GiB", heap * 0x1p-30, process * 0x1p-20);
  }
}
