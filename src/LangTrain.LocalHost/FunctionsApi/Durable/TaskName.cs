namespace Microsoft.DurableTask;

/// <summary>Name of an orchestration or an activity.</summary>
public readonly struct TaskName : IEquatable<TaskName>
{
    /// <summary>Takes a name.</summary>
    public TaskName(string name) => Name = name;

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>A name from a string.</summary>
    public static implicit operator TaskName(string value) => new(value);

    /// <summary>The string of a name.</summary>
    public static implicit operator string(TaskName value) => value.Name;

    /// <summary>Whether both are the same name; case does not count.</summary>
    public static bool operator ==(TaskName left, TaskName right) => left.Equals(right);

    /// <summary>Whether the names differ.</summary>
    public static bool operator !=(TaskName left, TaskName right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(TaskName other) => string.Equals(Name, other.Name, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TaskName other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Name);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
