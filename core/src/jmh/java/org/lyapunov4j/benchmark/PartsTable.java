// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import com.sun.management.OperatingSystemMXBean;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.stability.EdgeFinder;
import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.MeanSquareStability;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The panel by parts beside the eigendecomposition of the same matrix. Eigenvalues decay like 1/k², as those of tangent kernels do at least; half of η_ms. An argument is a size N·K, for K = 1 and 10, or a file of a Gram matrix and its K, {@code gram.npy:10}.
 *
 * <p>Seconds are processor time of the whole process, with one thread; it does not wait for other programs. Run it with one native thread too (OMP_NUM_THREADS=1), since idle native threads spin. After a
 * first argument {@code wall} they are those of the clock, with all processors, for a quiet machine.
 */
public final class PartsTable {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  /** Turns in which the compilers get done. */
  private static final int WARM_UP = 8;

  private static final int MOST_TURNS = 25;

  private final boolean wall;
  private final int threads;

  private PartsTable(boolean wall) {
    this.wall = wall;
    threads = wall ? Runtime.getRuntime().availableProcessors() : 1;
  }

  private long now() {
    return wall ? System.nanoTime() : SYSTEM.getProcessCpuTime();
  }

  private static GramMatrix gram(int size, int outputs) {
    int examples = (size + outputs - 1) / outputs;
    int m = examples * outputs;
    RandomStream random = new RandomStream(1);
    double[][] rows = new double[m][m];
    for (double[] row : rows) {
      for (int j = 0; j < m; j++) {
        row[j] = random.nextGaussian() / (j + 1);
      }
    }
    INDArray f = Nd4j.createFromArray(rows).castTo(DataType.DOUBLE);
    return GramMatrix.adopt(f.mmul(f.transpose()).toDoubleMatrix(), examples, outputs);
  }

  /**
   * The least of several runs: at least seven and for two seconds, in which the compilers get done,
   * fewer where one takes long.
   */
  private double seconds(Runnable part) {
    double least = Double.POSITIVE_INFINITY;
    double spent = 0;
    for (int run = 0; run < 1 || spent < 5 && (run < 7 || spent < 2); run++) {
      double time = once(part);
      spent += time;
      least = Math.min(least, time);
    }
    return least;
  }

  private double once(Runnable part) {
    long before = now();
    part.run();
    return (now() - before) * 1e-9;
  }

  /** Medians of the times of two parts and of the second over the first. */
  private record Turns(double first, double second, double ratio) {}

  /**
   * Two parts take turns, so that a processor whose speed changes is as fast for one as for the
   * other. Turns in which the compilers get done do not count, unless a part takes seconds.
   */
  private Turns turns(Runnable first, Runnable second) {
    List<Double> firsts = new ArrayList<>();
    List<Double> others = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    double spent = 0;
    for (int turn = 0; firsts.isEmpty() || spent < 10 && firsts.size() < MOST_TURNS; turn++) {
      double one = once(first);
      double other = once(second);
      spent += one + other;
      if (turn >= WARM_UP || one > 1) {
        firsts.add(one);
        others.add(other);
        ratios.add(other / one);
      }
    }
    return new Turns(median(firsts), median(others), median(ratios));
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }

  private void print(GramMatrix gram, GramSpectrum spectrum, int batch) {
    SgdStep any = SgdStep.of(gram.examples() / spectrum.largest(), batch);
    double rate = MeanSquareStability.of(spectrum).criticalLearningRate(any).low();
    SgdStep step = any.withLearningRate(0.5 * rate);
    EdgeFinder edges = EdgeFinder.builder().threads(threads).build();
    EdgeTrack track = edges.track(gram, step, rate, Optional.empty());
    Turns turns =
        turns(
            () -> GramSpectrum.of(gram),
            () -> MeanSquareStability.of(spectrum).analyzeAtBatchSize(step));
    double decomposition = turns.first();
    double edge = seconds(() -> edges.criticalLearningRate(gram, step, rate, Optional.empty()));
    double tracked = seconds(() -> edges.track(gram, step, rate, Optional.of(track)));
    double economy = seconds(() -> analyze(gram, step, Tier.ECONOMY));
    double standard = seconds(() -> analyze(gram, step, Tier.STANDARD));
    System.out.printf(
        "| %d | %d | %d | %.3f | %.3f (%.2f) | %.3f (%.2f) | %.3f (%.2f) | %.3f (%.2f) | %.3f (%.2f) |%n",
        gram.size(),
        gram.outputs(),
        batch,
        decomposition,
        turns.second(),
        turns.ratio(),
        edge,
        edge / decomposition,
        tracked,
        tracked / decomposition,
        economy,
        economy / decomposition,
        standard,
        standard / decomposition);
  }

  private void analyze(GramMatrix gram, SgdStep step, Tier tier) {
    StabilityAnalyzer.builder().tier(tier).threads(threads).build().analyze(gram, step);
  }

  private void print(String argument) {
    int colon = argument.lastIndexOf(':');
    if (colon < 0) {
      print(gram(Integer.parseInt(argument), 1));
      print(gram(Integer.parseInt(argument), 10));
    } else {
      int outputs = Integer.parseInt(argument.substring(colon + 1));
      double[][] rows = Nd4j.createFromNpyFile(new File(argument.substring(0, colon))).toDoubleMatrix();
      print(GramMatrix.adopt(rows, rows.length / outputs, outputs));
    }
  }

  private void print(GramMatrix gram) {
    GramSpectrum spectrum = GramSpectrum.of(gram);
    for (int batch : new int[] {1, 4, 25}) {
      print(gram, spectrum, batch);
    }
  }

  /**
   * Prints the table.
   *
   * @param arguments sizes and files, after {@code wall} if the clock is asked
   */
  public static void main(String... arguments) {
    boolean wall = arguments.length > 0 && arguments[0].equals("wall");
    PartsTable table = new PartsTable(wall);
    System.out.println("| m | K | B | decomposition | mean square | η_c | η_c tracked | economy | standard |");
    System.out.println("|---|---|---|---|---|---|---|---|---|");
    Stream.of(arguments).skip(wall ? 1 : 0).forEach(table::print);
  }
}
