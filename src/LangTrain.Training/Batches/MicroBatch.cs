using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Batches;

/// <summary>The tensors of rows that pass through the model at once; owned by the scope they were built in.</summary>
/// <remarks>B rows, T tokens of the longest row, N trained positions.</remarks>
internal sealed record MicroBatch
{
    /// <summary>[B, T], int64; padding is token 0 at the end of rows, where causal attention keeps it from every other token.</summary>
    public required Tensor Ids { get; init; }

    /// <summary>[B, T], int64, tokens from the start of the example.</summary>
    public required Tensor Positions { get; init; }

    /// <summary>[B, T], int64: 1, 2, … by example in the row, 0 for padding; null if every row is one example.</summary>
    public required Tensor? Segments { get; init; }

    /// <summary>[N], int64: places in the flattened [B * T] whose next token is trained.</summary>
    public required Tensor TrainedPositions { get; init; }

    /// <summary>[N], int64: those next tokens.</summary>
    public required Tensor Targets { get; init; }

    /// <summary>[N], int64: the row of each trained position. Fresh, owned by the caller's scope.</summary>
    public Tensor TrainedRows => TrainedPositions.div(Scalars.Of(Ids.shape[1]), RoundingMode.floor);

    /// <summary>Adds up a value of each trained position by rows.</summary>
    /// <param name="values">[N], floating.</param>
    /// <returns>[B], fp64; fresh, owned by the caller's scope.</returns>
    public Tensor SumByRow(Tensor values)
    {
        using var rows = TrainedRows;
        using var wide = values.to_type(ScalarType.Float64);
        return zeros([Ids.shape[0]], ScalarType.Float64, Ids.device).index_add_(0, rows, wide, Scalars.Of(1));
    }

    /// <summary>Tokens without padding.</summary>
    public required int Tokens { get; init; }

    /// <summary>N.</summary>
    public required int TrainedTokens { get; init; }

    /// <summary>Picks the places whose next token is trained.</summary>
    /// <param name="hidden">[B, T, C].</param>
    /// <returns>[N, C]; fresh, owned by the caller's scope.</returns>
    public Tensor TakeTrained(Tensor hidden) => hidden.flatten(0, 1).index_select(0, TrainedPositions);

    /// <summary>Puts gradients of the picked places back; all others are 0.</summary>
    /// <param name="gradient">[N, C].</param>
    /// <returns>[B, T, C]; fresh, owned by the caller's scope.</returns>
    public Tensor PutBackTrained(Tensor gradient)
    {
        var (rows, width, size) = (Ids.shape[0], Ids.shape[1], gradient.shape[^1]);
        return zeros(rows * width, size, gradient.dtype, gradient.device).index_copy_(0, TrainedPositions, gradient).view(rows, width, size);
    }

    /// <summary>Builds the tensors of planned rows.</summary>
    /// <param name="rows">Rows of example indexes.</param>
    /// <param name="examples">Where they index into.</param>
    /// <param name="device">Where the tensors go.</param>
    public static MicroBatch Build(int[][] rows, ITokenizedExamples examples, Device device)
    {
        var width = rows.Max(row => row.Sum(examples.LengthOf));
        var isPacked = rows.Any(row => row.Length > 1);
        var ids = new long[rows.Length * width];
        var positions = new long[ids.Length];
        var segments = isPacked ? new long[ids.Length] : [];
        var trainedPositions = new List<long>();
        var targets = new List<long>();
        var tokens = 0;
        for (var r = 0; r < rows.Length; r++)
        {
            var at = r * width;
            for (var s = 0; s < rows[r].Length; s++)
            {
                var example = examples.Read(rows[r][s]);
                for (var i = 0; i < example.Ids.Length; i++, at++)
                {
                    ids[at] = example.Ids[i];
                    positions[at] = i;
                    if (isPacked)
                    {
                        segments[at] = s + 1;
                    }

                    // A token is predicted from the place before it, so the first of an example never is.
                    if (i > 0 && example.IsTrained[i])
                    {
                        trainedPositions.Add(at - 1);
                        targets.Add(example.Ids[i]);
                    }
                }

                tokens += example.Ids.Length;
            }
        }

        long[] shape = [rows.Length, width];
        return new MicroBatch
        {
            Ids = tensor(ids, shape, device: device),
            Positions = tensor(positions, shape, device: device),
            Segments = isPacked ? tensor(segments, shape, device: device) : null,
            TrainedPositions = tensor(trainedPositions.ToArray(), device: device),
            Targets = tensor(targets.ToArray(), device: device),
            Tokens = tokens,
            TrainedTokens = targets.Count,
        };
    }
}
