namespace Microsoft.Azure.Functions.Worker;

/// <summary>The host key that a call needs. The app has keys of its own, so its functions are anonymous to the host.</summary>
public enum AuthorizationLevel
{
    /// <summary>No host key.</summary>
    Anonymous = 0,

    /// <summary>A signed-in user.</summary>
    User = 1,

    /// <summary>A function key.</summary>
    Function = 2,

    /// <summary>A system key.</summary>
    System = 3,

    /// <summary>The master key.</summary>
    Admin = 4,
}
