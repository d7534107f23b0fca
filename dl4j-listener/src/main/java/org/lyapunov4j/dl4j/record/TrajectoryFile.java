// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tangent vector carried along a trajectory, in a file beside the record. The file is replaced
 * as a whole: whoever reads it finds the old state or the new one.
 */
public final class TrajectoryFile {
  private static final Logger log = LoggerFactory.getLogger(TrajectoryFile.class);

  private final Path file;

  /**
   * The file that belongs to a record.
   *
   * @param record the record's file
   */
  public TrajectoryFile(Path record) {
    file = record.resolveSibling(record.getFileName() + ".tangent");
  }

  /**
   * A trajectory at a checkpoint, with all that its next window begins at. The arrays are not to be
   * modified.
   *
   * @param iteration of the checkpoint
   * @param trajectory what is carried; empty before the first window
   * @param curvature what steps take for the second derivative of the loss
   * @param step in force at the checkpoint
   * @param parameters at the checkpoint
   * @param weights of the parameters at the checkpoint; null for ones
   * @param taken the examples of the mini-batches that training took since, by iteration
   */
  @SuppressWarnings("ArrayRecordComponent") // as large as the model, and compared by content
  public record State(
      int iteration,
      Optional<TrajectoryExponent.State> trajectory,
      TrajectoryExponent.Curvature curvature,
      SgdStep step,
      double[] parameters,
      double[] weights,
      SortedMap<Integer, int[]> taken) {

    /**
     * This state with other mini-batches.
     *
     * @param taken the examples of the mini-batches that training took since, by iteration
     * @return the changed state
     */
    public State withTaken(SortedMap<Integer, int[]> taken) {
      return new State(iteration, trajectory, curvature, step, parameters, weights, taken);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof State that
          && iteration == that.iteration
          && trajectory.equals(that.trajectory)
          && curvature == that.curvature
          && step.equals(that.step)
          && Arrays.equals(parameters, that.parameters)
          && Arrays.equals(weights, that.weights)
          && taken.keySet().equals(that.taken.keySet())
          && taken.entrySet().stream()
              .allMatch(entry -> Arrays.equals(entry.getValue(), that.taken.get(entry.getKey())));
    }

    @Override
    public int hashCode() {
      return Objects.hash(iteration, trajectory, Arrays.hashCode(parameters));
    }

    @Override
    public String toString() {
      return "iteration " + iteration + ", " + trajectory + ", " + curvature + ", " + step;
    }
  }

  /** The shape in the file, arrays in base 64, little-endian. */
  private record Stored(
      int iteration,
      String curvature,
      int windows,
      Long cumulativeSteps,
      Double logNorm,
      Boolean annihilated,
      String position,
      String velocity,
      String parameters,
      String weights,
      StoredStep step,
      Map<Integer, int[]> taken) {}

  private record StoredStep(
      double learningRate,
      int batchSize,
      String sampling,
      String momentum,
      double coefficient,
      double l2,
      double weightDecay,
      boolean decaysInPart) {
    static StoredStep of(SgdStep step) {
      return new StoredStep(
          step.learningRate(),
          step.batchSize(),
          step.sampling().name(),
          step.momentum().getClass().getSimpleName(),
          step.momentum().coefficient(),
          step.l2(),
          step.weightDecay(),
          step.decaysInPart());
    }

    SgdStep step() throws IOException {
      return new SgdStep(
          learningRate,
          batchSize,
          MiniBatchSampling.valueOf(sampling),
          momentumOf(momentum, coefficient),
          l2,
          weightDecay,
          decaysInPart);
    }
  }

  private static Momentum momentumOf(String name, double coefficient) throws IOException {
    return switch (name) {
      case "None" -> Momentum.NONE;
      case "HeavyBall" -> new Momentum.HeavyBall(coefficient);
      case "Nesterov" -> new Momentum.Nesterov(coefficient);
      case "MovingAverage" -> new Momentum.MovingAverage(coefficient);
      case "NesterovAverage" -> new Momentum.NesterovAverage(coefficient);
      default -> throw new IOException("it has a momentum of a later version, " + name);
    };
  }

  /**
   * Writes a state.
   *
   * @param state to be there afterwards
   * @throws IOException if it could not be written; then the old state is still there
   */
  public void write(State state) throws IOException {
    Optional<TrajectoryExponent.State> carried = state.trajectory();
    Stored stored =
        new Stored(
            state.iteration(),
            state.curvature().name(),
            carried.map(TrajectoryExponent.State::windows).orElse(0),
            carried.map(TrajectoryExponent.State::steps).orElse(null),
            carried.map(TrajectoryExponent.State::logNorm).orElse(null),
            carried.map(TrajectoryExponent.State::annihilated).orElse(null),
            encoded(carried.map(TrajectoryExponent.State::position).orElse(null)),
            encoded(carried.map(TrajectoryExponent.State::velocity).orElse(null)),
            encoded(state.parameters()),
            encoded(state.weights()),
            StoredStep.of(state.step()),
            state.taken());
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(Json.line(stored).getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Reads the state.
   *
   * @return empty if there is none, or one of an earlier version, which does not tell what the next
   *     window begins at; the log says so
   * @throws IOException if there is one but it cannot be read
   */
  public Optional<State> read() throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    byte[] bytes = Files.readAllBytes(file);
    Stored stored = Json.read(bytes, Stored.class);
    if (stored.parameters() == null && Json.read(bytes, OfOld.class).isTangent()) {
      log.warn(
          "{} is of an earlier version, which kept no parameters; a new tangent vector starts",
          file);
      return Optional.empty();
    }
    if (stored.parameters() == null || stored.step() == null || stored.curvature() == null) {
      throw new IOException("it holds no tangent vector");
    }
    try {
      return Optional.of(state(stored));
    } catch (IllegalArgumentException damage) {
      throw new IOException("it is damaged: " + damage.getMessage(), damage);
    }
  }

  /** What files of earlier versions have. */
  private record OfOld(String position, List<Double> tangent) {
    boolean isTangent() {
      return position != null || tangent != null;
    }
  }

  private static State state(Stored stored) throws IOException {
    return new State(
        stored.iteration(),
        stored.position() == null ? Optional.empty() : Optional.of(carried(stored)),
        TrajectoryExponent.Curvature.valueOf(stored.curvature()),
        stored.step().step(),
        numbers(stored.parameters()),
        numbers(stored.weights()),
        stored.taken() == null ? new TreeMap<>() : new TreeMap<>(stored.taken()));
  }

  private static TrajectoryExponent.State carried(Stored stored) throws IOException {
    if (stored.logNorm() == null || stored.cumulativeSteps() == null) {
      throw new IOException("it holds no tangent vector");
    }
    return TrajectoryExponent.State.of(
        stored.windows(),
        stored.cumulativeSteps(),
        stored.logNorm(),
        Boolean.TRUE.equals(stored.annihilated()),
        numbers(stored.position()),
        numbers(stored.velocity()));
  }

  private static String encoded(double[] numbers) {
    if (numbers == null) {
      return null;
    }
    ByteBuffer buffer =
        ByteBuffer.allocate(Math.multiplyExact(Double.BYTES, numbers.length))
            .order(ByteOrder.LITTLE_ENDIAN);
    buffer.asDoubleBuffer().put(numbers);
    return Base64.getEncoder().encodeToString(buffer.array());
  }

  private static double[] numbers(String encoded) {
    if (encoded == null) {
      return null;
    }
    byte[] bytes = Base64.getDecoder().decode(encoded);
    double[] numbers = new double[bytes.length / Double.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(numbers);
    return numbers;
  }
}
