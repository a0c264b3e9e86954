Feature: Weather
  Scenario: It looks the weather up
    Given the tools get_wether, get_time
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather
