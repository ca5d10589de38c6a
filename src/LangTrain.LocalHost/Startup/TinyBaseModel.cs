namespace LangTrain.LocalHost.Startup;

/// <summary>The base model that ships with this host, so that everything works with no download.</summary>
internal static class TinyBaseModel
{
    /// <summary>Its id.</summary>
    public const string Id = "langtrain/tiny-base";

    /// <summary>Its files beside this program.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "TinyBaseModel");
}
