namespace LangTrain.Inference.Engine;

/// <summary>
/// Rows that wait for a slot: interactive before batch, and inside each the fairness keys take turns, so that one account's hundred requests
/// do not stand before another's first. Thread-safe.
/// </summary>
/// <param name="capacity">Most rows that may wait; rows put back by the engine do not count as new.</param>
internal sealed class AdmissionQueue(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Lane[] _lanes = [new Lane(), new Lane()];
    private int _count;

    /// <summary>Rows that wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds all rows or none.</summary>
    /// <returns>False when they do not fit.</returns>
    public bool TryEnqueue(IReadOnlyList<GenerationRow> rows)
    {
        lock (_lock)
        {
            if (_count + rows.Count > capacity)
                return false;
            foreach (var row in rows)
                LaneOf(row).Add(row, first: false);
            _count += rows.Count;
            return true;
        }
    }

    /// <summary>Puts a row back that gave up its slot; it is the first of its key again.</summary>
    public void PutBack(GenerationRow row)
    {
        lock (_lock)
        {
            LaneOf(row).Add(row, first: true);
            _count++;
        }
    }

    /// <summary>Takes the next row whose turn it is.</summary>
    /// <param name="row">The row.</param>
    public bool TryDequeue(out GenerationRow row) => TryDequeue(_lanes, _ => true, out row);

    /// <summary>Takes the next interactive row of those keys whose turn may be now.</summary>
    /// <param name="mayTake">Says of a key whether.</param>
    /// <param name="row">The row.</param>
    public bool TryDequeueInteractive(Func<string, bool> mayTake, out GenerationRow row) => TryDequeue(_lanes.AsSpan(0, 1), mayTake, out row);

    private bool TryDequeue(ReadOnlySpan<Lane> lanes, Func<string, bool> mayTake, out GenerationRow row)
    {
        lock (_lock)
        {
            foreach (var lane in lanes)
            {
                if (lane.Take(mayTake) is not { } next)
                    continue;
                _count--;
                row = next;
                return true;
            }
        }
        row = null!;
        return false;
    }

    /// <summary>True when an interactive row waits.</summary>
    public bool HasInteractive
    {
        get
        {
            lock (_lock)
                return _lanes[0].Count > 0;
        }
    }

    /// <summary>Takes a row out of the queue wherever it stands.</summary>
    /// <returns>False when it is not in the queue.</returns>
    public bool Remove(GenerationRow row)
    {
        lock (_lock)
        {
            if (!LaneOf(row).Remove(row))
                return false;
            _count--;
            return true;
        }
    }

    private Lane LaneOf(GenerationRow row) => _lanes[row.Request.Priority == RequestPriority.Interactive ? 0 : 1];

    // Keys in the order of their turns; a key without rows has no turn.
    private sealed class Lane
    {
        private readonly LinkedList<(string Key, LinkedList<GenerationRow> Rows)> _turns = [];
        private readonly Dictionary<string, LinkedListNode<(string Key, LinkedList<GenerationRow> Rows)>> _byKey = [];

        public int Count { get; private set; }

        public void Add(GenerationRow row, bool first)
        {
            var key = row.FairnessKey;
            if (!_byKey.TryGetValue(key, out var turn))
                _byKey[key] = turn = first ? _turns.AddFirst((key, [])) : _turns.AddLast((key, []));
            if (first)
                turn.Value.Rows.AddFirst(row);
            else
                turn.Value.Rows.AddLast(row);
            Count++;
        }

        public GenerationRow? Take(Func<string, bool> mayTake)
        {
            var turn = _turns.First;
            while (turn is not null && !mayTake(turn.Value.Key))
                turn = turn.Next;
            if (turn is null)
                return null;
            var row = turn.Value.Rows.First!.Value;
            turn.Value.Rows.RemoveFirst();
            _turns.Remove(turn);
            if (turn.Value.Rows.Count > 0)
                _turns.AddLast(turn);
            else
                _byKey.Remove(turn.Value.Key);
            Count--;
            return row;
        }

        public bool Remove(GenerationRow row)
        {
            var key = row.FairnessKey;
            if (!_byKey.TryGetValue(key, out var turn) || !turn.Value.Rows.Remove(row))
                return false;
            if (turn.Value.Rows.Count == 0)
            {
                _turns.Remove(turn);
                _byKey.Remove(key);
            }
            Count--;
            return true;
        }
    }
}
