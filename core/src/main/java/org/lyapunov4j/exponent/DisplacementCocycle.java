// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The linearised step on the displacement z of the parameters within the span of all gradients.
 * With G = F Fᵀ, F = Q diag(√κ) over the r nonzero eigenvalues κ of G, residuals are F z and
 *
 * <pre>
 *   z ← keep·z − (η/|S|) F_Sᵀ F_S z
 * </pre>
 *
 * <p>symmetric r × r factors without a kernel to drift into: the exponents on range(G) and no
 * others. ‖z‖² is the energy wᵀGw. With momentum the state is (z, v), of length 2r. A step costs 4
 * |S|K r flops a vector, 6 |S|K r with momentum: twice those of residuals, which is the price of
 * staying in range(G) exactly.
 */
final class DisplacementCocycle implements LinearCocycle {
  private static final double LARGEST_FACTOR = 1e100;

  private final double[][] rows;
  private final double[] eigenvalues;
  private final int rank;
  private final int examples;
  private final int outputs;
  private final SgdStep step;
  private final StepRecursion update;

  private DisplacementCocycle(GramSpectrum spectrum, SgdStep step) {
    rows = factor(spectrum);
    rank = spectrum.rank();
    eigenvalues = new double[rank];
    for (int k = 0; k < rank; k++) {
      eigenvalues[k] = spectrum.eigenvalue(spectrum.size() - 1 - k);
    }
    examples = spectrum.examples();
    outputs = spectrum.outputs();
    this.step = step;
    update = StepRecursion.of(step);
  }

  /**
   * The cocycle of a step.
   *
   * @param spectrum with eigenvectors
   * @param step its batch size at most N
   */
  static DisplacementCocycle of(GramSpectrum spectrum, SgdStep step) {
    requireModerate(spectrum, step);
    DisplacementCocycle cocycle = new DisplacementCocycle(spectrum, step);
    cocycle.sampler(new RandomStream(0));
    return cocycle;
  }

  /** The rank of G. */
  int rank() {
    return rank;
  }

  @Override
  public int dimension() {
    return update.hasMemory() ? 2 * rank : rank;
  }

  @Override
  public int stepsPerEpoch() {
    return MiniBatchSampler.stepsPerEpoch(examples, step.batchSize());
  }

  @Override
  public boolean isIndependent() {
    return step.sampling().isIndependent();
  }

  @Override
  public Realisation realise(RandomStream random) {
    MiniBatchSampler sampler = sampler(random);
    int[] batch = new int[step.batchSize()];
    return () -> {
      int size = sampler.next(batch);
      return update.hasMemory()
          ? new FactorWithMemory(rowsOf(batch, size), size)
          : new PlainFactor(rowsOf(batch, size), size);
    };
  }

  /** The norm of the residual F z. */
  @Override
  public double observedNorm(double[] x) {
    double squares = 0;
    for (double[] row : rows) {
      double residual = Vectors.dot(row, 0, x, 0, rank);
      squares += residual * residual;
    }
    return Math.sqrt(squares);
  }

  /** Eigenvectors of G; with momentum Schur vectors of the 2 × 2 block of each. */
  @Override
  public double[][] slowFrame() {
    return modes().stream().map(this::vector).toArray(double[][]::new);
  }

  @Override
  public double slowExponent() {
    return modes().get(0).exponent();
  }

  @Override
  public double memorySteps() {
    return update.hasMemory() ? 1 / (1 - update.memory()) : 0;
  }

  private List<Mode> modes() {
    List<Mode> modes = new ArrayList<>();
    for (int k = 0; k < rank; k++) {
      double curvature = eigenvalues[k] / examples;
      if (update.hasMemory()) {
        double[][] block = update.block(curvature);
        double[] slow = slowVector(block);
        double outer = update.fullBatchExponent(curvature);
        double both = Math.log(Math.abs(block[0][0] * block[1][1] - block[0][1] * block[1][0]));
        modes.add(new Mode(outer, k, slow[0], slow[1]));
        modes.add(new Mode(both - outer, k, -slow[1], slow[0]));
      } else {
        modes.add(new Mode(update.fullBatchExponent(curvature), k, 1, 0));
      }
    }
    modes.sort(Comparator.comparingDouble(Mode::exponent).reversed());
    return modes;
  }

  /** The residual r = F z as a displacement; what lies in ker G drops out. */
  double[] displacement(double[] residual) {
    double[] z = new double[dimension()];
    for (int i = 0; i < rows.length; i++) {
      for (int k = 0; k < rank; k++) {
        z[k] += rows[i][k] * residual[i] / eigenvalues[k];
      }
    }
    return z;
  }

  /** A unit vector in the plane of eigenvector k. */
  private record Mode(double exponent, int k, double position, double velocity) {}

  private double[] vector(Mode mode) {
    double[] x = new double[dimension()];
    x[mode.k] = mode.position;
    if (update.hasMemory()) {
      x[rank + mode.k] = mode.velocity;
    }
    return x;
  }

  /**
   * The eigenvector of the larger real eigenvalue in modulus; any unit vector if they are not real.
   */
  private static double[] slowVector(double[][] block) {
    double half = 0.5 * (block[0][0] + block[1][1]);
    double determinant = block[0][0] * block[1][1] - block[0][1] * block[1][0];
    double discriminant = half * half - determinant;
    if (discriminant < 0) {
      return new double[] {1, 0};
    }
    double eigenvalue = half + Math.copySign(Math.sqrt(discriminant), half);
    double x = block[0][1];
    double v = eigenvalue - block[0][0];
    if (Math.abs(x) + Math.abs(v) == 0) {
      x = eigenvalue - block[1][1];
      v = block[1][0];
    }
    double norm = Math.hypot(x, v);
    return norm > 0 ? new double[] {x / norm, v / norm} : new double[] {1, 0};
  }

  private MiniBatchSampler sampler(RandomStream random) {
    return new MiniBatchSampler(examples, step.batchSize(), step.sampling(), random);
  }

  private int[] rowsOf(int[] batch, int size) {
    int[] chosen = new int[size * outputs];
    for (int j = 0; j < chosen.length; j++) {
      chosen[j] = batch[j / outputs] * outputs + j % outputs;
    }
    return chosen;
  }

  /** The rows of F = Q diag(√κ), eigenvalues descending. */
  private static double[][] factor(GramSpectrum spectrum) {
    int m = spectrum.size();
    double[][] rows = new double[m][spectrum.rank()];
    double[] vector = new double[m];
    for (int k = 0; k < spectrum.rank(); k++) {
      spectrum.copyEigenvector(m - 1 - k, vector, 0);
      double root = Math.sqrt(spectrum.eigenvalue(m - 1 - k));
      for (int i = 0; i < m; i++) {
        rows[i][k] = root * vector[i];
      }
    }
    return rows;
  }

  /** For plain steps on independent subsets. */
  @Override
  public Tilt tilt() {
    return update.hasMemory() || step.sampling() != MiniBatchSampling.IID_SUBSETS
        ? null
        : new SubsetTilt();
  }

  /**
   * Half of the batches are drawn uniformly; the others have a first example i drawn with
   * probability π_i, about what ‖M x‖^p would be if i were the whole batch at the rate η/B, and the
   * rest uniformly. A batch S then has 1/2 + (N/2B) Σ_S π_i times its uniform probability, so that
   * no weight exceeds 2. The sight is the residual F z.
   */
  private final class SubsetTilt implements Tilt {
    private static final double NEARLY_ONE = 0.5;

    private final double[][] gram = new double[rows.length][rows.length];

    /** The K × K diagonal blocks of G, one after the other. */
    private final double[] blocks = new double[rows.length * outputs];

    SubsetTilt() {
      for (int i = 0; i < rows.length; i++) {
        for (int j = 0; j <= i; j++) {
          gram[i][j] = Vectors.dot(rows[i], 0, rows[j], 0, rank);
          gram[j][i] = gram[i][j];
        }
      }
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(gram[i], i / outputs * outputs, blocks, i * outputs, outputs);
      }
    }

    @Override
    public int sightLength() {
      return rows.length;
    }

    @Override
    public void look(double[] x, double[] sight) {
      for (int i = 0; i < rows.length; i++) {
        sight[i] = Vectors.dot(rows[i], 0, x, 0, rank);
      }
    }

    @Override
    public double grow(
        double[] x, double[] sight, double order, RandomStream random, double[] draws) {
      int size = step.batchSize();
      double factor = -update.rate() / (size * update.keep());
      double[] preference = preference(sight, factor, order);
      int[] batch = draw(preference, random);
      double preferred = 0;
      for (int example : batch) {
        preferred += preference[example];
      }
      draws[0] = -Math.log(0.5 + 0.5 * examples / size * preferred);
      int[] chosen = rowsOf(batch, size);
      new PlainFactor(chosen, size).apply(x);
      double norm = Vectors.norm(x);
      if (!(norm > Orthonormalisation.NEGLIGIBLE)) {
        Arrays.fill(x, 0);
        return Double.NEGATIVE_INFINITY;
      }
      Vectors.scale(x, 1 / norm);
      double[] residuals = new double[chosen.length];
      for (int j = 0; j < chosen.length; j++) {
        residuals[j] = sight[chosen[j]];
      }
      RowSweep.combine(gram, chosen, 0, chosen.length, factor, residuals, sight, 0);
      Vectors.scale(sight, update.keep() / norm);
      return Math.log(norm);
    }

    /** π. */
    private double[] preference(double[] residual, double factor, double order) {
      double[] preference = new double[examples];
      double sum = 0;
      for (int i = 0; i < examples; i++) {
        double change = 0;
        for (int k = i * outputs; k < (i + 1) * outputs; k++) {
          double image = 0;
          for (int l = 0; l < outputs; l++) {
            image += blocks[k * outputs + l] * residual[i * outputs + l];
          }
          change += residual[k] * (2 * factor * residual[k] + factor * factor * image);
        }
        double linear = 1 + 0.5 * order * change;
        preference[i] =
            Math.abs(change) < NEARLY_ONE
                ? Math.max(linear, 0)
                : Math.pow(Math.max(1 + change, 0x1p-20), 0.5 * order);
        sum += preference[i];
      }
      for (int i = 0; i < examples; i++) {
        preference[i] =
            sum > 0 && sum < Double.POSITIVE_INFINITY ? preference[i] / sum : 1.0 / examples;
      }
      return preference;
    }

    private int[] draw(double[] preference, RandomStream random) {
      int[] batch = new int[step.batchSize()];
      int first =
          random.nextDouble() < 0.5 ? random.nextInt(examples) : preferred(preference, random);
      batch[0] = first;
      for (int j = 1; j < batch.length; j++) {
        batch[j] = another(batch, j, random);
      }
      return batch;
    }

    private int preferred(double[] preference, RandomStream random) {
      double left = random.nextDouble();
      int i = 0;
      while (i < examples - 1 && left >= preference[i]) {
        left -= preference[i++];
      }
      return i;
    }

    /** Uniform among the examples that are not in the batch yet. */
    private int another(int[] batch, int taken, RandomStream random) {
      while (true) {
        int candidate = random.nextInt(examples);
        boolean isNew = true;
        for (int j = 0; j < taken; j++) {
          isNew &= batch[j] != candidate;
        }
        if (isNew) {
          return candidate;
        }
      }
    }
  }

  private static void requireModerate(GramSpectrum spectrum, SgdStep step) {
    double factor = step.learningRate() * spectrum.largest();
    if (!(factor < LARGEST_FACTOR)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "learning rate × largest eigenvalue of the Gram matrix must be below %.0e, got %.3g;"
                  + " lower the learning rate",
              LARGEST_FACTOR,
              factor));
    }
  }

  private final class PlainFactor implements Factor {
    private final int[] chosen;
    private final double factor;
    private final double[] residuals;

    PlainFactor(int[] chosen, int size) {
      this.chosen = chosen;
      factor = -update.rate() / size;
      residuals = new double[chosen.length];
    }

    @Override
    public void apply(double[] z) {
      RowSweep.multiply(rows, chosen, 0, chosen.length, z, rank, residuals);
      if (update.keep() != 1) {
        Vectors.scale(z, update.keep());
      }
      RowSweep.combine(rows, chosen, 0, chosen.length, factor, residuals, z, 0);
    }
  }

  private final class FactorWithMemory implements Factor {
    private final int[] chosen;
    private final double factor;
    private final double[] residuals;

    FactorWithMemory(int[] chosen, int size) {
      this.chosen = chosen;
      factor = update.gradientWeight() / size;
      residuals = new double[chosen.length];
    }

    @Override
    public void apply(double[] x) {
      RowSweep.multiply(rows, chosen, 0, chosen.length, x, rank, residuals);
      double penalty = update.gradientWeight() * update.l2();
      for (int j = 0; j < rank; j++) {
        double position = x[j];
        double velocity = x[rank + j];
        double next = update.memory() * velocity + penalty * position;
        x[rank + j] = next;
        x[j] = update.keep() * position + update.oldWeight() * velocity + update.newWeight() * next;
      }
      int count = chosen.length;
      RowSweep.combine(rows, chosen, 0, count, factor, residuals, x, rank);
      RowSweep.combine(rows, chosen, 0, count, update.newWeight() * factor, residuals, x, 0);
    }
  }
}
