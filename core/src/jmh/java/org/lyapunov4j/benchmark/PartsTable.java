// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.benchmark;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;
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
 * The panel by parts, in seconds of processor time of the whole process, beside the eigendecomposition of the same matrix. Processor time does not wait for other programs; run it with one native
 * thread (OMP_NUM_THREADS=1), since idle native threads spin. Eigenvalues decay like 1/k², as those of tangent kernels do at least; half of η_ms. The arguments are sizes N·K.
 */
public final class PartsTable {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private PartsTable() {}

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

  /** The least of several runs, which are fewer where one takes long. */
  private static double seconds(Runnable part) {
    double least = Double.POSITIVE_INFINITY;
    double spent = 0;
    for (int run = 0; run < 7 && (run < 1 || spent < 5); run++) {
      long before = SYSTEM.getProcessCpuTime();
      part.run();
      double time = (SYSTEM.getProcessCpuTime() - before) * 1e-9;
      spent += time;
      least = Math.min(least, time);
    }
    return least;
  }

  private static void print(GramMatrix gram, GramSpectrum spectrum, double decomposition, int batch) {
    SgdStep any = SgdStep.of(gram.examples() / spectrum.largest(), batch);
    double rate = MeanSquareStability.of(spectrum).criticalLearningRate(any).low();
    SgdStep step = any.withLearningRate(0.5 * rate);
    EdgeFinder edges = EdgeFinder.builder().threads(1).build();
    EdgeTrack track = edges.track(gram, step, rate, Optional.empty());
    double meanSquare = seconds(() -> MeanSquareStability.of(spectrum).analyzeAtBatchSize(step));
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
        meanSquare,
        meanSquare / decomposition,
        edge,
        edge / decomposition,
        tracked,
        tracked / decomposition,
        economy,
        economy / decomposition,
        standard,
        standard / decomposition);
  }

  private static void analyze(GramMatrix gram, SgdStep step, Tier tier) {
    StabilityAnalyzer.builder().tier(tier).threads(1).build().analyze(gram, step);
  }

  /**
   * Prints the table.
   *
   * @param arguments sizes
   */
  public static void main(String... arguments) {
    System.out.println("| m | K | B | decomposition | mean square | η_c | η_c tracked | economy | standard |");
    System.out.println("|---|---|---|---|---|---|---|---|---|");
    for (String size : arguments) {
      for (int outputs : new int[] {1, 10}) {
        GramMatrix gram = gram(Integer.parseInt(size), outputs);
        GramSpectrum spectrum = GramSpectrum.of(gram);
        double decomposition = seconds(() -> GramSpectrum.of(gram));
        for (int batch : new int[] {1, 25}) {
          print(gram, spectrum, decomposition, batch);
        }
      }
    }
  }
}
